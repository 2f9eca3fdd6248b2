package io.kvorum.server.backup;

import com.google.protobuf.ByteString;
import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.segment.ShippedSegment;
import io.kvorum.protocol.internal.BackupState;
import io.kvorum.protocol.v1.BackupBeginResponse;
import io.kvorum.protocol.v1.BackupContentHashResponse;
import io.kvorum.protocol.v1.BackupDigestResponse;
import io.kvorum.protocol.v1.BackupFile;
import io.kvorum.server.backup.repository.BackupException;
import io.kvorum.server.backup.repository.BackupException.Reason;
import io.kvorum.server.backup.repository.BackupManifest;
import io.kvorum.server.backup.repository.Chain;
import io.kvorum.server.backup.repository.Content;
import io.kvorum.server.backup.repository.Kind;
import io.kvorum.server.backup.repository.ObjectStore;
import io.kvorum.server.backup.repository.PublishedBackup;
import io.kvorum.server.backup.repository.Repository;
import io.kvorum.server.backup.repository.StoredObject;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.migrate.Progress;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Ships one backup from a member to a repository.
 *
 * <ol>
 *   <li>A backup of that id that is there already is the answer: the run before was interrupted behind its end.
 *   <li>The best member freezes its state. For a delta it must have the log behind the newest backup of the chain; when it has not, another member may.
 *   <li>Segments that the repository has are not asked for. Their names are known from earlier backups; an interrupted run left objects that no backup names, and while there are such, the member
 *       is asked for the digest of a segment before its bytes.
 *   <li>The log goes in chunks that are cut the same way each time, so a chunk that an interrupted run sent is found by its content.
 *   <li>The manifest is published last, with the content hash that the member computed meanwhile.
 * </ol>
 *
 * <p>A member that fails on the way is left for the next best; five attempts. What was sent stays.
 */
final class BackupRun {
  private static final int ATTEMPTS_MAX = 5;
  private static final long PAUSE_MILLIS = 500;

  /** What a follower may lag, and clocks may differ, when the end of what it has is told as a time. */
  private static final long TIME_MARGIN_MILLIS = 5_000;

  private final Settings settings;
  private final Repository repository;
  private final ObjectStore objects;
  private final Sources sources;
  private List<PublishedBackup> known = List.of();
  private long sentBytes;

  /**
   * What is asked for.
   *
   * @param scratch a directory for one file at a time, the size of a segment
   * @param failPoint {@code backup.run.segment-kept}, {@code backup.run.log-kept}
   */
  record Settings(BackupManifest.Type type, String id, Path scratch, PrintStream err, FailPoint failPoint) {}

  /** @param objects what the repository keeps its objects in */
  BackupRun(Settings settings, Repository repository, ObjectStore objects, Sources sources) {
    this.settings = settings;
    this.repository = repository;
    this.objects = objects;
    this.sources = sources;
  }

  PublishedBackup run() throws IOException {
    Repository.Listing listing = repository.backups();
    known = listing.backups();
    listing.damaged().forEach((id, why) -> settings.err.println("backup: warning: backup " + id + ": " + why));
    Optional<PublishedBackup> there = known.stream().filter(backup -> backup.id().equals(settings.id)).findFirst();
    if (there.isPresent()) {
      settings.err.println("backup: " + settings.id + " is complete already");
      return there.get();
    }
    for (int attempt = 1; ; attempt++) {
      Source source = null;
      try {
        source = sources.best(readBefore());
        return run(source);
      } catch (Source.LostException lost) {
        if (attempt == ATTEMPTS_MAX) {
          throw new BackupException(Reason.SOURCE_UNAVAILABLE, lost.getMessage(), lost);
        }
        settings.err.println("backup: " + lost.getMessage() + "; trying again");
        failed(source);
        pause();
      } catch (BackupException gap) {
        failed(source);
        if (gap.reason() != Reason.DELTA_GAP || source == null || !sources.others()) {
          throw gap;
        }
        settings.err.println("backup: " + gap.getMessage() + "; asking another member");
      } finally {
        if (source != null) {
          source.close();
        }
      }
    }
  }

  /** The member of the newest full backup; empty for none. */
  private String readBefore() {
    return known.stream()
        .map(PublishedBackup::manifest)
        .filter(manifest -> manifest.type() == BackupManifest.Type.FULL)
        .max(Comparator.comparing(BackupManifest::completedAt))
        .map(manifest -> manifest.source().memberId())
        .orElse("");
  }

  private void failed(Source source) {
    if (source != null) {
      sources.failed(source);
    }
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private PublishedBackup run(Source source) throws IOException {
    Instant started = Instant.now();
    Optional<Chain> chain = settings.type == BackupManifest.Type.FULL ? Optional.empty() : Optional.of(newestChain(source));
    BackupManifest.Span before = chain.map(c -> c.last().manifest().span()).orElse(null);
    String place = ChainMarks.nameOf(objects.uri("repository.json"));
    String run = place + "/" + settings.id;
    try (RunningBackup running = before == null ? RunningBackup.begin(source, run, 0, 0) : RunningBackup.begin(source, run, before.toIndex(), before.term())) {
      BackupManifest manifest = ship(running, chain, started);
      PublishedBackup published = repository.publish(manifest);
      running.complete(place);
      return published;
    }
  }

  /** The chain of this cluster that ends last. */
  private Chain newestChain(Source source) throws IOException {
    String cluster = MemberIds.hex(source.describe().getHeader().getClusterId());
    PublishedBackup newest = null;
    for (PublishedBackup backup : known) {
      if (backup.manifest().source().clusterId().equals(cluster)) {
        newest = newest == null || backup.manifest().span().toIndex() >= newest.manifest().span().toIndex() ? backup : newest;
      }
    }
    if (newest == null) {
      throw new BackupException(Reason.DELTA_GAP, "there is no backup of cluster " + cluster + " to go on from");
    }
    return Chain.endingAt(known, newest.id());
  }

  private BackupManifest ship(RunningBackup running, Optional<Chain> chain, Instant started) throws IOException {
    BackupBeginResponse begun = running.begun;
    Optional<PublishedBackup> last = chain.map(Chain::last);
    long fromIndex = last.map(backup -> backup.manifest().span().toIndex()).orElse(begun.getCheckpointIndex());
    long fromRevision = last.map(backup -> backup.manifest().span().toRevision()).orElse(begun.getCheckpointRevision());
    List<BackupManifest.Segment> segments = chain.isPresent() ? List.of() : segments(running);
    Optional<BackupManifest.State> state = chain.isPresent() ? Optional.empty() : Optional.of(state(running));
    LogShipping log = new LogShipping(repository, fromRevision, begun.getRevision(), chain.map(Chain::lastHex).orElse(""), settings);
    running.log(fromIndex + 1, log);
    log.end();
    sentBytes += log.sentBytes();
    Times times = times(begun, log, last);
    BackupContentHashResponse hash = running.contentHash();
    long bytes =
        segments.stream().mapToLong(BackupManifest.Segment::bytes).sum()
            + log.chunks().stream().mapToLong(BackupManifest.LogChunk::bytes).sum()
            + state.map(BackupManifest.State::bytes).orElse(0L);
    return new BackupManifest(
        settings.id,
        settings.type,
        new BackupManifest.Source(
            MemberIds.hex(begun.getHeader().getClusterId()), MemberIds.hex(begun.getHeader().getMemberId()), begun.getMemberName(), begun.getVersion(),
            begun.getFeatureLevel()),
        started,
        Instant.now(),
        new BackupManifest.Span(
            fromIndex, begun.getIndex(), begun.getTerm(), fromRevision, begun.getRevision(), times.from, times.to, Math.max(0, begun.getCompactRevision())),
        new BackupManifest.ContentHash(Integer.toUnsignedLong(hash.getHash()), hash.getHashRevision(), Math.max(0, hash.getCompactRevision())),
        last.map(backup -> new BackupManifest.Previous(backup.id(), backup.sha256())),
        segments,
        log.chunks(),
        state,
        bytes,
        sentBytes);
  }

  private record Times(Instant from, Instant to) {}

  /**
   * From: of the checkpoint's entry; when the log does not tell, of the first one behind it. To: what a member has when it is frozen is all that was committed a margin of time before; and
   * all before the millisecond of its last entry.
   */
  private static Times times(BackupBeginResponse begun, LogShipping log, Optional<PublishedBackup> last) {
    long frozen = begun.getTimeMillis() - TIME_MARGIN_MILLIS;
    long checkpoint = begun.getCheckpointTimeMillis();
    long first = checkpoint > 0 ? checkpoint : log.firstMillis() > 0 ? log.firstMillis() : frozen;
    Instant from = last.map(backup -> backup.manifest().span().toTime()).orElse(Instant.ofEpochMilli(first));
    Instant to = Instant.ofEpochMilli(Math.max(frozen, log.lastMillis() - 1));
    return new Times(from, to.isBefore(from) ? from : to);
  }

  private BackupManifest.State state(RunningBackup running) throws IOException {
    BackupBeginResponse begun = running.begun;
    BackupState.Builder state = BackupState.newBuilder().setGenesis(begun.getGenesis());
    if (begun.getCheckpointIndex() > 0) {
      BackupFile manifest = begun.getFiles(0);
      state.setManifestName(manifest.getName()).setManifest(ByteString.copyFrom(running.read(manifest)));
    }
    Repository.Kept kept = repository.put(Kind.STATE, Content.of(state.build().toByteArray()));
    sentBytes += kept.sentBytes();
    return new BackupManifest.State(kept.hex(), kept.bytes());
  }

  private List<BackupManifest.Segment> segments(RunningBackup running) throws IOException {
    BackupBeginResponse begun = running.begun;
    if (begun.getCheckpointIndex() == 0) {
      return List.of();
    }
    Map<String, BackupManifest.Segment> byName = new HashMap<>();
    known.forEach(backup -> backup.manifest().segments().forEach(segment -> byName.put(segment.name(), segment)));
    boolean leftOver = hasLeftOver();
    List<BackupManifest.Segment> segments = new ArrayList<>();
    List<BackupFile> files = begun.getFilesList().subList(1, begun.getFilesCount());
    long total = files.stream().filter(file -> !byName.containsKey(file.getName())).mapToLong(BackupFile::getLength).sum();
    Progress progress = Progress.unattended(settings.err, "segments", total, System::nanoTime);
    for (BackupFile file : files) {
      BackupManifest.Segment there = byName.get(file.getName());
      if (there != null && repository.has(Kind.SEGMENT, there.hex())) {
        segments.add(there);
        continue;
      }
      Optional<BackupManifest.Segment> left = leftOver ? left(running, file) : Optional.empty();
      segments.add(left.isPresent() ? left.get() : send(running, file, progress));
    }
    progress.end();
    return segments;
  }

  /** Whether there are objects that no backup names. */
  private boolean hasLeftOver() throws IOException {
    Set<String> named = new HashSet<>();
    known.forEach(backup -> backup.manifest().segments().forEach(segment -> named.add(segment.hex())));
    for (StoredObject object : objects.list("segments/")) {
      if (!named.contains(object.name().substring("segments/".length()))) {
        return true;
      }
    }
    return false;
  }

  /** The segment, if it is there already although no backup names it. */
  private Optional<BackupManifest.Segment> left(RunningBackup running, BackupFile file) throws IOException {
    BackupDigestResponse digest = running.digest(file);
    String hex = repository.hex(digest.getSha256().toByteArray());
    return repository.has(Kind.SEGMENT, hex)
        ? Optional.of(new BackupManifest.Segment(file.getName(), hex, file.getLength(), digest.getFirstRevision(), digest.getLastRevision()))
        : Optional.empty();
  }

  private BackupManifest.Segment send(RunningBackup running, BackupFile file, Progress progress) throws IOException {
    Path copy = Files.createTempFile(settings.scratch, "kvorum-segment-", ".tmp");
    try {
      ShippedSegment.Revisions revisions;
      try (FileChannel channel = FileChannel.open(copy, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
        running.copy(file, channel, progress::advance);
        revisions = ShippedSegment.revisions((offset, into) -> channel.read(into, offset));
      }
      Repository.Kept kept = repository.put(Kind.SEGMENT, Content.of(copy));
      sentBytes += kept.sentBytes();
      settings.failPoint.reached("backup.run.segment-kept");
      return new BackupManifest.Segment(file.getName(), kept.hex(), kept.bytes(), revisions.first(), revisions.last());
    } finally {
      Files.deleteIfExists(copy);
    }
  }
}
