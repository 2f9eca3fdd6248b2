package io.kvorum.mvcc;

import io.kvorum.mvcc.segment.SegmentedRevisionLog;
import io.kvorum.mvcc.store.VersionedStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;

/** The versioned key-value history of one member. */
public interface MvccStore extends AutoCloseable {
  /**
   * Opens or creates a store. The caller holds the data directory's lock.
   *
   * @throws StoreCorruptException naming the file, when a segment or the manifest is damaged or missing
   */
  static MvccStore open(Path directory, MvccOptions options) throws IOException {
    return VersionedStore.open(SegmentedRevisionLog.open(directory, options), directory);
  }

  /** The checkpoint that the store was opened at, {@link Checkpoint#NONE} for a new store. Later log entries are to be applied again. */
  Checkpoint checkpoint();

  /** Begins a write transaction; apply thread only, one at a time. */
  WriteTxn begin();

  /**
   * Moves the logical floor (visible with the next publish) and queues the removal of old records.
   *
   * @throws RevisionException.Future above the current revision
   * @throws RevisionException.Compacted at or below the last compaction
   */
  void compact(long revision);

  /** Makes all ended transactions and compactions visible; apply thread only. */
  void publish();

  /** The newest published state, pinned until closed; any thread. */
  ReadView view();

  /** Newest published revision; 1 for an empty store. */
  long revision();

  /** Published floor; -1 before any compaction. */
  long compactRevision();

  /** Completes when the records that the floor made dead are out of the segments in use; their files go with the next {@link #checkpoint}. */
  CompletableFuture<Void> physicalCompaction();

  /** Full rewrite now; completes when done. Nothing stops meanwhile. */
  CompletableFuture<Void> defragment();

  /** Bytes of the records held (logical; never preallocated space). */
  long sizeBytes();

  /** Bytes of the records that are reachable. */
  long sizeInUseBytes();

  /** Views that are open. */
  default long openViews() {
    return 0;
  }

  /** Tells the observer from now on, instead of any before. */
  default void observe(StoreObserver observer) {}

  /** Free disk space is below the reserve: writes that add data should be refused. */
  boolean spaceLow();

  /** A checkpoint is due: much was sealed, or rewritten segments wait for a manifest that names them. Ask after each {@link #publish}. */
  boolean wantsCheckpoint();

  /**
   * Gets the long part of a checkpoint done in the background, when one is due for reasons of the caller's. Asked again and again (cheap), until the answer is yes.
   * Apply thread only.
   *
   * @return whether a checkpoint is short now
   */
  default boolean prepareCheckpoint() {
    return true;
  }

  /** Seals the active segment and writes the manifest; when it returns the state is durable apart from the log. Apply thread only. */
  void checkpoint(long index, long term, byte[] machineState) throws IOException;

  /** Calls back for each live key that has a lease, in key order; before the first write after open or install. */
  void forEachLeased(BiConsumer<byte[], Long> keyAndLease);

  /** The newest checkpoint's files, pinned until closed. Any thread. */
  SnapshotFiles snapshot();

  /** Names among the offered ones whose content this store does not have. Any thread. */
  List<String> missing(List<SnapshotFiles.Entry> offered);

  /**
   * Replaces the whole state by a received snapshot: the directory holds its manifest and the files that {@link #missing} named. Durable when it
   * returns; a crash before leaves the old state whole, one after it the new. Publishes. Apply thread only.
   *
   * @throws StoreCorruptException if a file does not match its checksum; the old state stays
   */
  void install(Path receivedDirectory) throws IOException;

  @Override
  void close();

  /**
   * @param index last applied log index
   * @param term its term
   * @param revision newest revision
   * @param machineState what the server stored beside the history
   */
  record Checkpoint(long index, long term, long revision, byte[] machineState) {
    public static final Checkpoint NONE = new Checkpoint(0, 0, 1, new byte[0]);
  }
}
