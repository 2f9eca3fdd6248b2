package io.kvorum.server.kv;

import io.kvorum.mvcc.Change;
import io.kvorum.server.apply.ChangeListener;
import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Serializable reads of revisions that this member has not applied yet: they wait a short while, since a client may have seen the revision on a member that is ahead.
 * At most 1,024 wait.
 */
public final class RevisionWaits implements ChangeListener {
  private static final int WAITING_MAX = 1_024;

  private final ScheduledExecutorService timer;
  private final Executor readers;
  private final long waitMillis;
  private final PriorityQueue<Waiting> queue = new PriorityQueue<>((a, b) -> Long.compare(a.revision, b.revision));
  private volatile long lowest = Long.MAX_VALUE;

  private record Waiting(long revision, Runnable read) {}

  /**
   * @param timer gives up waiting
   * @param readers runs the reads
   * @param waitMillis longest wait
   */
  public RevisionWaits(ScheduledExecutorService timer, Executor readers, long waitMillis) {
    this.timer = timer;
    this.readers = readers;
    this.waitMillis = waitMillis;
  }

  /**
   * Runs {@code read} once, when the revision is published or the wait is over.
   *
   * @param newest the newest published revision by now
   * @return false when too many wait already; then it never runs
   */
  boolean await(long revision, LongSupplier newest, Runnable read) {
    Waiting waiting = new Waiting(revision, read);
    synchronized (queue) {
      if (queue.size() >= WAITING_MAX) {
        return false;
      }
      queue.add(waiting);
      lowest = queue.peek().revision;
    }
    try {
      timer.schedule(() -> giveUp(waiting), waitMillis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      giveUp(waiting);
    }
    // It may have been published between the caller's look and the registration.
    reached(newest.getAsLong());
    return true;
  }

  /** Reads that wait. */
  int size() {
    synchronized (queue) {
      return queue.size();
    }
  }

  private void giveUp(Waiting waiting) {
    boolean waited;
    synchronized (queue) {
      waited = queue.remove(waiting);
      lowest = queue.isEmpty() ? Long.MAX_VALUE : queue.peek().revision;
    }
    if (waited) {
      run(waiting);
    }
  }

  private void reached(long revision) {
    if (revision < lowest) {
      return;
    }
    List<Waiting> ready = new ArrayList<>();
    synchronized (queue) {
      while (!queue.isEmpty() && queue.peek().revision <= revision) {
        ready.add(queue.poll());
      }
      lowest = queue.isEmpty() ? Long.MAX_VALUE : queue.peek().revision;
    }
    ready.forEach(this::run);
  }

  private void run(Waiting waiting) {
    try {
      readers.execute(waiting.read);
    } catch (RejectedExecutionException full) {
      waiting.read.run();
    }
  }

  @Override
  public void published(long revision, List<Change> changes) {
    reached(revision);
  }

  @Override
  public void compacted(long compactRevision) {}

  @Override
  public void replaced(long revision) {
    reached(revision);
  }
}
