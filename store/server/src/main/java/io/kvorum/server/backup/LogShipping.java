package io.kvorum.server.backup;

import io.kvorum.protocol.v1.BackupLogChunk;
import io.kvorum.protocol.v1.BackupLogEntry;
import io.kvorum.server.backup.repository.BackupManifest;
import io.kvorum.server.backup.repository.Content;
import io.kvorum.server.backup.repository.Kind;
import io.kvorum.server.backup.repository.Repository;
import io.kvorum.server.migrate.Progress;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Cuts the log into chunks and keeps them. Where a cut falls depends on the first entry and the entries behind it alone.
 *
 * <p>Which revision an entry made shows only when it is applied. So a chunk tells bounds: the state behind it has at most as many revisions more as it has entries.
 */
final class LogShipping implements RunningBackup.LogSink {
  private final Repository repository;
  private final BackupRun.Settings settings;
  private final Progress progress;
  private final long toRevision;
  private final List<BackupManifest.LogChunk> chunks = new ArrayList<>();
  private LogChunks.Filling filling = new LogChunks.Filling();
  private String previousHex;
  private long revision;
  private long firstMillis;
  private long lastMillis;
  private long sentBytes;

  /** @param previousHex of the last chunk before */
  LogShipping(Repository repository, long fromRevision, long toRevision, String previousHex, BackupRun.Settings settings) throws IOException {
    this.repository = repository;
    this.revision = fromRevision;
    this.toRevision = toRevision;
    this.previousHex = previousHex;
    this.settings = settings;
    this.progress = Progress.unattended(settings.err(), "log", 0, System::nanoTime);
  }

  @Override
  public void take(BackupLogChunk message) throws IOException {
    progress.advance(message.getSerializedSize());
    for (BackupLogEntry entry : message.getEntriesList()) {
      // A leader's first entry has no time: it counts as made with the one before it.
      lastMillis = Math.max(lastMillis, entry.getTimeMillis());
      firstMillis = firstMillis == 0 ? entry.getTimeMillis() : firstMillis;
      filling.add(entry, lastMillis);
      if (filling.full()) {
        keep(Math.min(toRevision, revision + filling.entries));
      }
    }
  }

  /** All has been taken. */
  void end() throws IOException {
    if (filling.entries > 0) {
      keep(toRevision);
    } else if (!chunks.isEmpty()) {
      chunks.set(chunks.size() - 1, endingAt(chunks.getLast(), toRevision));
    }
    progress.end();
  }

  private static BackupManifest.LogChunk endingAt(BackupManifest.LogChunk chunk, long revision) {
    return new BackupManifest.LogChunk(
        chunk.hex(), chunk.bytes(), chunk.firstIndex(), chunk.lastIndex(), chunk.firstRevision(), revision, chunk.firstTime(), chunk.lastTime(), chunk.previousHex());
  }

  private void keep(long lastRevision) throws IOException {
    Repository.Kept kept = repository.put(Kind.LOG, Content.of(filling.content()));
    sentBytes += kept.sentBytes();
    chunks.add(
        new BackupManifest.LogChunk(
            kept.hex(), kept.bytes(), filling.firstIndex, filling.lastIndex, revision, lastRevision, Instant.ofEpochMilli(filling.firstMillis),
            Instant.ofEpochMilli(filling.lastMillis), previousHex));
    settings.failPoint().reached("backup.run.log-kept");
    previousHex = kept.hex();
    revision = lastRevision;
    filling = new LogChunks.Filling();
  }

  List<BackupManifest.LogChunk> chunks() {
    return chunks;
  }

  /** Of the first entry that has a time; 0 for none. */
  long firstMillis() {
    return firstMillis;
  }

  /** The highest so far; 0 for none. */
  long lastMillis() {
    return lastMillis;
  }

  long sentBytes() {
    return sentBytes;
  }
}
