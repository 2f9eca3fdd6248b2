package io.kvorum.mvcc;

import io.kvorum.mvcc.segment.SegmentedRevisionLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * The chain of revision segments: what was written, in revision order, with no idea of keys' order or liveness. The index sits on top of it.
 * Written by the apply thread alone, read by any thread through pinned views.
 */
public interface RevisionLog extends AutoCloseable {
  /**
   * Opens or creates a log. The caller holds the data directory's lock.
   *
   * @throws StoreCorruptException naming the file, when the manifest, a segment or a side file is damaged or missing
   */
  static RevisionLog open(Path directory, MvccOptions options) throws IOException {
    return SegmentedRevisionLog.open(directory, options);
  }

  /**
   * Appends one record to the active segment, cutting to the next file when the budget demands it. Revisions ascend by (main, sub); main revisions may have
   * gaps. Apply thread.
   *
   * @throws java.io.UncheckedIOException when the disk is full and the reserve used up; nothing was appended, and the same call succeeds once there is space
   * @throws IllegalStateException after a failed fsync: the process must end
   */
  void append(long main, int sub, byte[] key, byte[] encoded, boolean tombstone, long lease);

  /**
   * All records appended so far, pinned until closed. Cheap: one reference count. Any thread. Records appended later may be seen too, or not: the reader bounds
   * its revisions.
   */
  View view();

  /** The pinned view. */
  interface View extends AutoCloseable {
    /** The record at a revision, or null if it is not (or no longer) held. */
    Record find(long main, int sub);

    /** Records with main revision in {@code [from, to]} in revision order, until the visitor says stop. */
    void forEach(long from, long to, Visitor visitor);

    /**
     * All (key, main, sub, tombstone, lease), for building the index: in unsigned key order over the whole log (a merge of the segments' sorted side
     * files) and in revision order within a key, so that the tree is built bottom-up. Does not touch the records themselves.
     */
    void forEachKey(KeyVisitor visitor);

    @Override
    void close();
  }

  /** Sees one record; valid during the call. */
  @FunctionalInterface
  interface Visitor {
    /** @return whether to go on */
    boolean visit(Record record);
  }

  /** Sees one stored revision of a key. */
  @FunctionalInterface
  interface KeyVisitor {
    void visit(byte[] key, long main, int sub, boolean tombstone, long lease);
  }

  /**
   * Tells which records are still needed; asked by background rewrites, from any thread.
   *
   * <p>A dead put may be dropped at once. A dead tombstone may be dropped only when no older record of its key stays in the log (for example when all
   * older segments are rewritten in the same step or hold nothing dead): otherwise the older record would come back to life when the index is rebuilt.
   */
  @FunctionalInterface
  interface Liveness {
    boolean isLive(byte[] key, long main, int sub);
  }

  /** Bytes of encoded records held. */
  long sizeBytes();

  /** Seals the active segment, forces it, and writes the manifest naming all live segments; returns when durable. */
  void checkpoint(Manifest manifest) throws IOException;

  /** The newest durable manifest (at first the one that the log was opened with), or null for a new log. */
  Manifest manifest();

  /**
   * The durable facts beside the list of segments, which the log itself keeps.
   *
   * @param index last applied log index
   * @param term its term
   * @param revision newest revision (also when its record was compacted away)
   * @param compactRevision the floor, -1 before any compaction
   * @param machineState the server's own state
   */
  record Manifest(long index, long term, long revision, long compactRevision, byte[] machineState) {}

  /**
   * Rewrites sealed segments in the background, dropping what is dead: those with enough dead records, or all of them. Completes when the old files are out of
   * the live set. On disk this takes effect with the next checkpoint only: a fall-back to the last one must find all that was live then, or the replay would
   * count versions anew.
   */
  CompletableFuture<Void> rewrite(Liveness liveness, boolean all);

  /** Free disk space is below the reserve, or the next segment file could not be allocated. Cheap; any thread. */
  boolean spaceLow();

  /** Much was sealed since the last checkpoint, or a rewrite waits for a manifest that lets the old files go; and a checkpoint is short now. */
  boolean wantsCheckpoint();

  /**
   * Gets what a checkpoint would have to wait for done in the background: cuts a long active segment off. Asked again and again (cheap; apply thread), until the answer is
   * yes.
   *
   * @return whether a checkpoint is short now
   */
  default boolean prepareCheckpoint() {
    return true;
  }

  /** The newest checkpoint's files, pinned until closed; its checkpoint is that manifest. Any thread. */
  SnapshotFiles snapshot();

  /** Names among the offered ones whose content this log does not have. What it has stays until the next call, for the install that follows. Any thread. */
  List<String> missing(List<SnapshotFiles.Entry> offered);

  /**
   * Replaces all segments and the manifest by a received snapshot, durably and atomically; afterwards {@link #manifest} and {@link #view} show it. Views
   * that are open keep reading the old segments. Running rewrites are abandoned (their futures complete).
   *
   * @throws StoreCorruptException if a file does not match its checksum; the old state stays
   */
  void install(Path receivedDirectory) throws IOException;

  @Override
  void close();
}
