package io.kvorum.mvcc.store;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.mvcc.StoreClosedException;
import io.kvorum.mvcc.StoreCorruptException;
import io.kvorum.mvcc.StoreObserver;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.mvcc.index.DropSink;
import io.kvorum.mvcc.index.IndexBuilder;
import io.kvorum.mvcc.index.IndexView;
import io.kvorum.mvcc.index.KeyIndex;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;

/**
 * The store over a revision log.
 *
 * <p>The apply thread alone changes keys, revision and floor. It shares the index with the compactor under one lock, held for a transaction or a publish, so
 * never across a thread hop. Readers take neither: they pin the published view.
 */
public final class VersionedStore implements MvccStore {
  private static final long FIRST_REVISION = 1;
  private static final long NEVER_COMPACTED = -1;

  private final RevisionLog log;
  private final AppendedRecords records;
  private final Compactor compactor;
  private final ReentrantLock writer = new ReentrantLock();
  private final AtomicLong inUseBytes = new AtomicLong();

  private final LongAdder openViews = new LongAdder();
  private final Runnable viewClosed = openViews::decrement;
  private volatile StoreObserver observer = StoreObserver.NONE;

  private KeyIndex index;
  private Checkpoint checkpoint;
  private LeasedKeys leased;
  private long revision;
  private long floor;

  /** Ended transactions or a compaction that readers do not see yet. */
  private boolean unpublished;

  /** The floor that the whole index was compacted to, at most the published one. */
  private long indexedFloor;

  private boolean inTransaction;

  /** Counts replacements of the whole state, so that a compaction pass notices. */
  private volatile long generation;

  private volatile StoreView published;

  private VersionedStore(RevisionLog log) {
    this.log = log;
    this.records = new AppendedRecords(log);
    this.compactor = new Compactor(this);
  }

  /**
   * Builds the index and publishes the log's state. The store owns the log from here on.
   *
   * @throws StoreCorruptException if the log's keys are not in order
   */
  public static VersionedStore open(RevisionLog log, Path directory) throws IOException {
    VersionedStore store = new VersionedStore(log);
    try {
      store.load(directory);
    } catch (IOException | RuntimeException e) {
      store.close();
      throw e;
    }
    return store;
  }

  private void load(Path directory) throws StoreCorruptException {
    RevisionLog.Manifest manifest = log.manifest();
    revision = manifest == null ? FIRST_REVISION : manifest.revision();
    floor = manifest == null ? NEVER_COMPACTED : manifest.compactRevision();
    indexedFloor = floor;
    checkpoint =
        manifest == null ? Checkpoint.NONE : new Checkpoint(manifest.index(), manifest.term(), manifest.revision(), manifest.machineState());
    Compactor.Dropped dead = new Compactor.Dropped();
    RevisionLog.View view = log.view();
    try {
      IndexBuilder builder = new IndexBuilder(floor, dead::add);
      LeasedKeys keys = new LeasedKeys();
      view.forEachKey(
          (key, main, sub, tombstone, lease) -> keys.add(key, builder.add(key, main, sub, tombstone), tombstone, lease));
      index = builder.build();
      leased = keys.done();
    } catch (IllegalArgumentException e) {
      view.close();
      throw new StoreCorruptException(directory, e.getMessage());
    }
    if (dead.size() > 0) {
      compactor.request();
    }
    inUseBytes.set(log.sizeBytes() - dead.takeBytes(view));
    swap(new StoreView(index.publish(), view, revision, floor));
    compactor.start();
  }

  @Override
  public Checkpoint checkpoint() {
    return checkpoint;
  }

  @Override
  public WriteTxn begin() {
    if (inTransaction) {
      throw new IllegalStateException("a transaction is running");
    }
    writer.lock();
    inTransaction = true;
    leased = null;
    return new Transaction(this, index, records, revision, floor);
  }

  void added(int bytes) {
    inUseBytes.addAndGet(bytes);
  }

  void ended(long newRevision) {
    unpublished |= newRevision != revision;
    revision = newRevision;
    records.release();
    inTransaction = false;
    writer.unlock();
  }

  @Override
  public void compact(long at) {
    if (at > revision) {
      throw new RevisionException.Future();
    }
    if (at <= floor) {
      throw new RevisionException.Compacted(floor);
    }
    writer.lock();
    try {
      floor = at;
      unpublished = true;
      compactor.request();
    } finally {
      writer.unlock();
    }
  }

  @Override
  public void publish() {
    if (!unpublished) {
      return;
    }
    boolean floorMoved = floor != published.floor();
    writer.lock();
    try {
      unpublished = false;
      swap(new StoreView(index.publish(), log.view(), revision, floor));
    } finally {
      writer.unlock();
    }
    if (floorMoved) {
      compactor.start();
    }
  }

  /** Publishes the same state again in its compacted form, unless changes wait for the apply thread to publish them. */
  void republishIfIdle() {
    writer.lock();
    try {
      if (!unpublished && published != null) {
        swap(new StoreView(index.publish(), log.view(), revision, floor));
      }
    } finally {
      writer.unlock();
    }
  }

  private void swap(StoreView next) {
    StoreView before = published;
    published = next;
    records.published(next);
    if (before != null) {
      before.release();
    }
  }

  @Override
  public ReadView view() {
    StoreView pinned = pin();
    if (pinned == null) {
      throw new StoreClosedException();
    }
    openViews.increment();
    return new PinnedView(pinned, viewClosed);
  }

  /** The newest published state, acquired; null when the store is closed. */
  StoreView pin() {
    StoreView newest = published;
    while (newest != null && !newest.acquire()) {
      // It was replaced between the two steps: the next one is there already.
      newest = published;
    }
    return newest;
  }

  @Override
  public long revision() {
    return newest().revision();
  }

  @Override
  public long compactRevision() {
    return newest().floor();
  }

  private StoreView newest() {
    StoreView newest = published;
    if (newest == null) {
      throw new StoreClosedException();
    }
    return newest;
  }

  @Override
  public CompletableFuture<Void> physicalCompaction() {
    return compactor.physical();
  }

  @Override
  public CompletableFuture<Void> defragment() {
    return compactor.defragment();
  }

  /** One slice of an index compaction; null also when the state was replaced since the pass began. */
  byte[] compactIndex(byte[] from, long at, DropSink sink, long passGeneration) {
    writer.lock();
    try {
      return passGeneration == generation ? index.compact(from, at, sink) : null;
    } finally {
      writer.unlock();
    }
  }

  long generation() {
    return generation;
  }

  /** Counts off records that the index no longer names. */
  void dropped(long bytes, long passGeneration) {
    writer.lock();
    try {
      inUseBytes.addAndGet(passGeneration == generation ? -bytes : 0);
    } finally {
      writer.unlock();
    }
  }

  /** A pass has taken the whole index to a floor. */
  void indexed(long at, long passGeneration) {
    writer.lock();
    try {
      indexedFloor = passGeneration == generation ? at : indexedFloor;
    } finally {
      writer.unlock();
    }
  }

  /** Lets the log drop what the newest published state does not need. */
  CompletableFuture<Void> rewrite(boolean all) {
    writer.lock();
    try {
      return log.rewrite(liveness(), all);
    } finally {
      writer.unlock();
    }
  }

  /**
   * Holds the index alone, so that it pins no files while they are rewritten; of a state that was replaced it lets nothing be dropped. It goes by the floor that
   * the index was taken to: what a newer floor has made dead is counted off by the pass to come, which must still find it.
   */
  private RevisionLog.Liveness liveness() {
    IndexView keys = newest().index();
    long compacted = indexedFloor;
    long now = generation;
    return (key, main, sub) -> now != generation || StoreView.survives(keys, compacted, key, main, sub);
  }

  @Override
  public long sizeBytes() {
    return log.sizeBytes();
  }

  @Override
  public long sizeInUseBytes() {
    return inUseBytes.get();
  }

  @Override
  public long openViews() {
    return openViews.sum();
  }

  @Override
  public void observe(StoreObserver newObserver) {
    observer = newObserver;
  }

  void compacted(long removed, long nanos) {
    observer.compacted(removed, nanos);
  }

  @Override
  public boolean spaceLow() {
    return log.spaceLow();
  }

  @Override
  public boolean wantsCheckpoint() {
    return log.wantsCheckpoint();
  }

  @Override
  public boolean prepareCheckpoint() {
    return log.prepareCheckpoint();
  }

  @Override
  public void checkpoint(long appliedIndex, long term, byte[] machineState) throws IOException {
    long began = System.nanoTime();
    log.checkpoint(new RevisionLog.Manifest(appliedIndex, term, revision, floor, machineState));
    observer.checkpointed(System.nanoTime() - began);
  }

  @Override
  public void forEachLeased(BiConsumer<byte[], Long> keyAndLease) {
    LeasedKeys keys = leased;
    if (keys == null) {
      throw new IllegalStateException("the list of leased keys is kept until the first transaction only");
    }
    keys.forEach(keyAndLease);
  }

  @Override
  public SnapshotFiles snapshot() {
    return log.snapshot();
  }

  @Override
  public List<String> missing(List<SnapshotFiles.Entry> offered) {
    return log.missing(offered);
  }

  @Override
  public void install(Path receivedDirectory) throws IOException {
    writer.lock();
    try {
      log.install(receivedDirectory);
      generation = generation + 1;
      unpublished = false;
      load(receivedDirectory);
    } finally {
      writer.unlock();
    }
  }

  @Override
  public void close() {
    compactor.close();
    writer.lock();
    try {
      StoreView last = published;
      published = null;
      records.release();
      if (last != null) {
        last.release();
      }
    } finally {
      writer.unlock();
    }
    log.close();
  }
}
