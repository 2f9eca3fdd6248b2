package io.kvorum.server.backup;

import com.google.protobuf.InvalidProtocolBufferException;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.StoreCorruptException;
import io.kvorum.protocol.internal.BackupState;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.StoredMember;
import io.kvorum.server.backup.repository.BackupException;
import io.kvorum.server.backup.repository.BackupException.Reason;
import io.kvorum.server.backup.repository.BackupManifest;
import io.kvorum.server.backup.repository.Chain;
import io.kvorum.server.backup.repository.Kind;
import io.kvorum.server.backup.repository.Repository;
import io.kvorum.server.backup.repository.Target;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.migrate.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Makes a member's store from a chain of backups.
 *
 * <ol>
 *   <li>The full backup's segments and its checkpoint's manifest are fetched, each compared with its hash, and installed as a member installs a snapshot.
 *   <li>The log of the chain is applied, as a member does, up to the target: for a revision, up to the entry that made it; for a time, up to the first entry that a leader's clock says is
 *       later; else all of it.
 *   <li>The content hash is taken. At the end of a backup it must be the one that the live member told.
 *   <li>For a new cluster the revision is moved on and marked compacted, and a checkpoint at log index 1 makes it durable: every member of the new cluster begins with the same one.
 * </ol>
 *
 * <p>Needs room for the segments twice while it runs.
 */
public final class Restoring {
  private static final long FIRST_INDEX = 1;
  private static final long FIRST_TERM = 1;
  private static final byte[] NOTHING = new byte[0];

  private final Repository repository;
  private final Chain chain;
  private final Target target;
  private final PrintStream err;

  /**
   * What came of it.
   *
   * @param revision of the state that was asked for
   * @param hash its content hash
   * @param index the last entry of the old cluster's log that counts
   * @param compared whether the hash was compared with what the live member told
   * @param state everything beside the history
   */
  public record Restored(long revision, ReadView.HashResult hash, long index, boolean compared, MachineState state) {}

  /** @param target that the chain covers */
  public Restoring(Repository repository, Chain chain, Target target, PrintStream err) {
    this.repository = repository;
    this.chain = chain;
    this.target = target;
    this.err = err;
  }

  /**
   * Restores into an empty directory, as of the target.
   *
   * @param received for the fetched files; made, and gone again at the end
   * @throws BackupException {@code CONTENT_CORRUPT}, {@code HASH_MISMATCH}, {@code NOT_FOUND}
   */
  public Restored run(Path store, Path received) throws IOException {
    BackupState state = state();
    try (MvccStore opened = MvccStore.open(store, MvccOptions.DEFAULT)) {
      if (!state.getManifest().isEmpty()) {
        Files.createDirectories(received);
        try {
          fetch(state, received);
          opened.install(received);
        } finally {
          delete(received);
        }
      }
      return replay(opened, io.kvorum.protocol.internal.Genesis.parseFrom(state.getGenesis()));
    } catch (StoreCorruptException damaged) {
      throw new BackupException(Reason.CONTENT_CORRUPT, damaged.getMessage(), damaged);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private BackupState state() throws IOException {
    BackupManifest.State object = chain.full().manifest().state().orElseThrow();
    try (InputStream in = open(repository, Kind.STATE, object.hex())) {
      return BackupState.parseFrom(in.readAllBytes());
    } catch (InvalidProtocolBufferException damaged) {
      throw new BackupException(Reason.CONTENT_CORRUPT, "state/" + object.hex() + ": not the state of a backup", damaged);
    }
  }

  /** An object that a manifest names; one that is missing is damage. */
  static InputStream open(Repository repository, Kind kind, String hex) throws IOException {
    try {
      return repository.read(kind, hex);
    } catch (BackupException missing) {
      if (missing.reason() == Reason.NOT_FOUND) {
        throw new BackupException(Reason.CONTENT_CORRUPT, missing.getMessage(), missing);
      }
      throw missing;
    }
  }

  private void fetch(BackupState state, Path received) throws IOException {
    Files.write(received.resolve(state.getManifestName()), state.getManifest().toByteArray());
    List<BackupManifest.Segment> segments = chain.full().manifest().segments();
    Progress progress = Progress.unattended(err, "segments", segments.stream().mapToLong(BackupManifest.Segment::bytes).sum(), System::nanoTime);
    byte[] buffer = new byte[256 << 10];
    for (BackupManifest.Segment segment : segments) {
      try (InputStream in = open(repository, Kind.SEGMENT, segment.hex());
          OutputStream out = Files.newOutputStream(received.resolve(segment.name()))) {
        for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
          out.write(buffer, 0, length);
          progress.advance(length);
        }
      }
    }
    progress.end();
  }

  private Restored replay(MvccStore store, io.kvorum.protocol.internal.Genesis genesis) throws IOException {
    LogReplay replay = new LogReplay(store, Genesis.of(genesis), target);
    Progress progress = Progress.unattended(err, "log", chain.log().stream().mapToLong(BackupManifest.LogChunk::bytes).sum(), System::nanoTime);
    for (BackupManifest.LogChunk chunk : chain.log()) {
      byte[] content;
      try (InputStream in = open(repository, Kind.LOG, chunk.hex())) {
        content = in.readAllBytes();
      }
      progress.advance(content.length);
      if (!replay.apply(content, chunk.lastRevision())) {
        break;
      }
    }
    progress.end();
    replay.finish();
    try (ReadView view = store.view()) {
      ReadView.HashResult hash = view.hash(0);
      return new Restored(view.revision(), hash, replay.index(), compare(hash, replay.index()), replay.state());
    }
  }

  /** Whether the live member told a hash of this very state. */
  private boolean compare(ReadView.HashResult found, long index) throws BackupException {
    for (var backup : chain.backups()) {
      BackupManifest.ContentHash told = backup.manifest().contentHash();
      if (backup.manifest().span().toIndex() == index) {
        if (told.revision() != found.hashRevision() || told.compactRevision() != Math.max(0, found.compactRevision()) || told.hash() != Integer.toUnsignedLong(found.hash())) {
          throw new BackupException(
              Reason.HASH_MISMATCH,
              "the content hash of backup " + backup.id() + " is " + Integer.toUnsignedLong(found.hash()) + " at revision " + found.hashRevision() + " compacted at "
                  + found.compactRevision() + "; the member had " + told.hash() + " at revision " + told.revision() + " compacted at " + told.compactRevision());
        }
        return true;
      }
    }
    return false;
  }

  /**
   * Makes what was restored the beginning of a new cluster.
   *
   * @param store where it was restored
   * @param bump revisions to move on
   * @param markCompacted whether all before that counts as compacted, so that watchers of the old cluster notice
   * @return the revision that it begins with
   */
  public static long found(Path store, Restored restored, Genesis genesis, long bump, boolean markCompacted) throws IOException {
    MachineState state = newIdentity(restored.state(), genesis);
    long revision = restored.revision() + bump;
    try (RevisionLog log = RevisionLog.open(store, MvccOptions.DEFAULT)) {
      if (bump > 0) {
        log.append(revision, 0, NOTHING, NOTHING, false, 0);
      }
      long floor = markCompacted ? revision : log.manifest().compactRevision();
      log.checkpoint(new RevisionLog.Manifest(FIRST_INDEX, FIRST_TERM, revision, floor, state.toByteArray()));
    }
    return revision;
  }

  /** Leases, users, roles and alarms stay; an alarm is the new member's of the same name, or the first one's. Members, versions and the place in the log are the new cluster's. */
  private static MachineState newIdentity(MachineState old, Genesis genesis) {
    MachineState.Builder state = MachineState.newBuilder();
    new Members(genesis).save(state);
    state.setAuth(old.getAuth()).addAllLeases(old.getLeasesList());
    Map<Long, String> names = old.getMembersList().stream().collect(Collectors.toMap(StoredMember::getId, StoredMember::getName));
    Map<String, Long> ids = genesis.founders().stream().collect(Collectors.toMap(member -> member.name(), member -> member.id(), (a, b) -> a));
    old.getAlarmsList().stream()
        .map(alarm -> alarm.toBuilder().setMemberID(ids.getOrDefault(names.getOrDefault(alarm.getMemberID(), ""), genesis.founders().getFirst().id())).build())
        .distinct()
        .forEach(state::addAlarms);
    return state.build();
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
