package io.kvorum.mvcc.store;

import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionLog;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Removes in the background what the floor has made dead. The floor itself moves at once, so this only reclaims space.
 *
 * <ol>
 *   <li>Take the index through slices of some thousand keys, each under the writer's lock (a fraction of a millisecond), with a pause as long as the slice
 *       between two: the apply thread never waits for more than one.
 *   <li>Count off the bytes of what was dropped.
 *   <li>Let the log rewrite its segments by the newest published state, then publish anew, so that nothing pins the old files.
 * </ol>
 *
 * At most one pass runs and one waits: requests that come meanwhile join the waiting one. A crash at any point loses nothing: on disk records go only with
 * a checkpoint whose manifest names the floor; what is dead then but still stored is left out when the index is next built, and a pass is requested.
 */
final class Compactor implements AutoCloseable {
  private static final System.Logger LOGGER = System.getLogger(Compactor.class.getName());
  private static final long PAUSE_NANOS_MAX = 5_000_000;
  private static final long CLOSE_SECONDS = 10;

  private final VersionedStore store;
  private final ExecutorService worker =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "mvcc-compactor");
            thread.setDaemon(true);
            return thread;
          });

  private CompletableFuture<Void> waiting;
  private CompletableFuture<Void> running;

  /** Everything that was requested is published: the waiting pass will find its floor. */
  private boolean ready;

  private volatile boolean closed;

  Compactor(VersionedStore store) {
    this.store = store;
  }

  /** Asks for a pass; it begins with the next {@link #start}, not earlier: before, it would not see what it was asked for. */
  synchronized void request() {
    ready = false;
    if (waiting == null) {
      waiting = new CompletableFuture<>();
    }
  }

  /** Begins what was requested, unless a pass runs; then it follows. */
  synchronized void start() {
    ready = true;
    next();
  }

  private synchronized void next() {
    if (!ready || waiting == null || running != null || closed) {
      return;
    }
    running = waiting;
    waiting = null;
    CompletableFuture<Void> pass = running;
    try {
      worker.execute(() -> run(pass));
    } catch (RejectedExecutionException e) {
      running = null;
      pass.completeExceptionally(e);
    }
  }

  /** Completes with the last pass that was requested. */
  synchronized CompletableFuture<Void> physical() {
    CompletableFuture<Void> last = waiting != null ? waiting : running;
    return last == null ? CompletableFuture.completedFuture(null) : last.copy();
  }

  /** A rewrite of everything, behind the passes that were requested. */
  CompletableFuture<Void> defragment() {
    return physical()
        .handle((done, failure) -> null)
        .thenCompose(ignored -> store.rewrite(true))
        .thenRun(store::republishIfIdle);
  }

  private void run(CompletableFuture<Void> pass) {
    long began = System.nanoTime();
    try {
      long removed = index();
      store
          .rewrite(false)
          .whenComplete(
              (done, failure) -> {
                store.compacted(removed, System.nanoTime() - began);
                finish(pass, failure);
              });
    } catch (RuntimeException e) {
      finish(pass, e);
    }
  }

  private void finish(CompletableFuture<Void> pass, Throwable failure) {
    synchronized (this) {
      running = null;
    }
    if (failure == null) {
      store.republishIfIdle();
      pass.complete(null);
    } else {
      if (!closed) {
        LOGGER.log(System.Logger.Level.WARNING, "compaction pass failed; the next one takes its work", failure);
      }
      pass.completeExceptionally(failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure);
    }
    next();
  }

  /** How many revisions were taken out. Their bytes are those of the state at the beginning, which later rewrites cannot take away while it is pinned. */
  private long index() {
    StoreView pinned = store.pin();
    if (pinned == null) {
      return 0;
    }
    long removed = 0;
    long generation = store.generation();
    try {
      Dropped dropped = new Dropped();
      byte[] next = null;
      do {
        long begin = System.nanoTime();
        next = store.compactIndex(next, pinned.floor(), dropped::add, generation);
        long slice = System.nanoTime() - begin;
        removed += dropped.size();
        store.dropped(dropped.takeBytes(pinned.log()), generation);
        if (next != null) {
          LockSupport.parkNanos(Math.min(slice, PAUSE_NANOS_MAX));
        }
      } while (next != null && !closed);
      if (next == null) {
        store.indexed(pinned.floor(), generation);
      }
    } finally {
      pinned.release();
    }
    return removed;
  }

  @Override
  public void close() {
    closed = true;
    CompletableFuture<Void> never;
    synchronized (this) {
      never = waiting;
      waiting = null;
    }
    if (never != null) {
      never.completeExceptionally(new IllegalStateException("the store was closed"));
    }
    worker.shutdown();
    try {
      if (!worker.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS)) {
        LOGGER.log(System.Logger.Level.WARNING, "the compactor did not stop within {0} s", CLOSE_SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Revisions that a slice took out of the index; their records are looked at outside the lock. */
  static final class Dropped {
    private static final int FIRST_CAPACITY = 1024;

    private long[] mains = new long[FIRST_CAPACITY];
    private int[] subs = new int[FIRST_CAPACITY];
    private int size;

    void add(long main, int sub) {
      if (size == mains.length) {
        mains = Arrays.copyOf(mains, size * 2);
        subs = Arrays.copyOf(subs, size * 2);
      }
      mains[size] = main;
      subs[size++] = sub;
    }

    int size() {
      return size;
    }

    /** Bytes of the records; forgets them. */
    long takeBytes(RevisionLog.View view) {
      long bytes = 0;
      for (int i = 0; i < size; i++) {
        Record record = view.find(mains[i], subs[i]);
        bytes += record == null ? 0 : record.length();
      }
      size = 0;
      return bytes;
    }
  }
}
