package io.kvorum.server.maintenance;

import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.CompactionResponse;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.logging.Log;
import java.util.ArrayDeque;
import java.util.function.LongSupplier;

/**
 * Compacts by itself, on the leader only.
 *
 * <ul>
 *   <li>By revisions: every 5 minutes to the current revision less the retention.
 *   <li>By time: the revision is sampled ten times in each period (at most an hour); once the samples reach back a whole retention, and again each period, it compacts to
 *       the oldest sample. While another member leads the samples are dropped, because its time was not watched here.
 * </ul>
 *
 * <p>A failed attempt is made again at the next sample; a revision that is compacted already counts as done.
 */
public final class AutoCompactor implements Runnable {
  private static final Log LOG = Log.of(AutoCompactor.class);
  private static final long REVISION_INTERVAL_NANOS = 300_000_000_000L;
  private static final long HOUR_NANOS = 3_600_000_000_000L;
  private static final int SAMPLES_A_PERIOD = 10;

  private final Kernel kernel;
  private final boolean byRevisions;
  private final long retention;
  private final LongSupplier nanoTime;
  private final ArrayDeque<Sample> samples = new ArrayDeque<>();
  private long nextNanos;
  private long done;

  private record Sample(long nanos, long revision) {}

  /**
   * @param byRevisions whether the retention counts revisions, else nanoseconds
   * @param retention above 0
   * @param nanoTime monotonic
   */
  public AutoCompactor(Kernel kernel, boolean byRevisions, long retention, LongSupplier nanoTime) {
    this.kernel = kernel;
    this.byRevisions = byRevisions;
    this.retention = retention;
    this.nanoTime = nanoTime;
    this.nextNanos = nanoTime.getAsLong() + (byRevisions ? REVISION_INTERVAL_NANOS : retention);
  }

  /** How often {@link #run} is to be called. */
  public long intervalNanos() {
    return Math.max(1, byRevisions ? REVISION_INTERVAL_NANOS : Math.min(retention, HOUR_NANOS) / SAMPLES_A_PERIOD);
  }

  @Override
  public synchronized void run() {
    long now = nanoTime.getAsLong();
    if (!kernel.raft().get().isLeader()) {
      samples.clear();
      nextNanos = now + (byRevisions ? REVISION_INTERVAL_NANOS : retention);
      return;
    }
    long current = kernel.store().revision();
    if (byRevisions) {
      compact(current - retention, "revision");
      return;
    }
    samples.add(new Sample(now, current));
    if (now - nextNanos < 0) {
      return;
    }
    while (samples.size() > 1 && now - secondOldest().nanos >= retention) {
      samples.removeFirst();
    }
    compact(samples.getFirst().revision, "periodic");
  }

  private Sample secondOldest() {
    var iterator = samples.iterator();
    iterator.next();
    return iterator.next();
  }

  private void compact(long revision, String mode) {
    if (revision <= 0 || revision == done) {
      return;
    }
    LOG.info("starting auto " + mode + " compaction", "revision", revision);
    kernel
        .proposals()
        .propose(
            LogRequest.newBuilder().setCompaction(CompactionRequest.newBuilder().setRevision(revision)),
            new Completion<CompactionResponse>() {
              @Override
              public void done(CompactionResponse answer) {
                finished(revision, mode);
              }

              @Override
              public void failed(StatusRuntimeException reason) {
                if (EtcdError.COMPACTED.text().equals(reason.getStatus().getDescription())) {
                  finished(revision, mode);
                } else {
                  LOG.warn("failed auto " + mode + " compaction", "revision", revision, "error", reason.getStatus().getDescription());
                }
              }
            });
  }

  private synchronized void finished(long revision, String mode) {
    done = revision;
    nextNanos = nanoTime.getAsLong() + Math.min(retention, HOUR_NANOS);
    LOG.info("completed auto " + mode + " compaction", "revision", revision);
  }
}
