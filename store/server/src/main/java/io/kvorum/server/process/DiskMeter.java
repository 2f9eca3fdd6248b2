package io.kvorum.server.process;

import io.kvorum.mvcc.StoreObserver;
import io.kvorum.raft.log.SyncObserver;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.Histogram;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/** How long the log's and the history's disk work takes. What etcd calls a commit of its backend is a checkpoint here: the moment at which the history itself becomes durable. */
final class DiskMeter implements SyncObserver, StoreObserver, MetricSource {
  private static final double FIRST_SECONDS = 0.001;
  private static final int BOUNDS = 14;
  private static final double COMPACTION_FIRST_MILLIS = 100;

  private static final Log LOG = Log.of(DiskMeter.class);
  /** As etcd warns of. */
  private static final long SLOW_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final LongSupplier clockMillis;
  private final Histogram forces = new Histogram(FIRST_SECONDS, BOUNDS);
  private final Histogram writes = new Histogram(FIRST_SECONDS, BOUNDS);
  private final Histogram checkpoints = new Histogram(FIRST_SECONDS, BOUNDS);
  private final Histogram compactionMillis = Histogram.ofAmounts(COMPACTION_FIRST_MILLIS, BOUNDS);
  private final LongAdder writtenBytes = new LongAdder();
  private final LongAdder compactedRevisions = new LongAdder();
  private volatile long lastCompactionSeconds;

  /**
   * @param clockMillis milliseconds since the epoch
   */
  DiskMeter(LongSupplier clockMillis) {
    this.clockMillis = clockMillis;
  }

  @Override
  public void synced(long bytes, long nanos) {
    forces.record(nanos);
    writtenBytes.add(bytes);
    if (nanos > SLOW_NANOS) {
      LOG.warn("slow fdatasync", "took", TimeUnit.NANOSECONDS.toMillis(nanos) + "ms", "expected-duration", "1s");
    }
  }

  @Override
  public void written(long nanos) {
    writes.record(nanos);
  }

  @Override
  public void checkpointed(long nanos) {
    checkpoints.record(nanos);
  }

  @Override
  public void compacted(long removed, long nanos) {
    compactedRevisions.add(removed);
    compactionMillis.record(TimeUnit.NANOSECONDS.toMillis(nanos));
    lastCompactionSeconds = TimeUnit.MILLISECONDS.toSeconds(clockMillis.getAsLong());
  }

  @Override
  public void collect(MetricsText out) {
    out.histogram("etcd_disk_wal_fsync_duration_seconds", "The latency distributions of fsync called by WAL.", forces)
        .histogram("etcd_disk_wal_write_duration_seconds", "The latency distributions of write called by WAL.", writes)
        .gauge("etcd_disk_wal_write_bytes_total", "Total number of bytes written in WAL.", writtenBytes.sum())
        .histogram("etcd_disk_backend_commit_duration_seconds", "The latency distributions of commit called by backend.", checkpoints)
        .counter("etcd_debugging_mvcc_db_compaction_keys_total", "Total number of db keys compacted.", compactedRevisions.sum())
        .gauge("etcd_debugging_mvcc_db_compaction_last", "The unix time of the last db compaction. Resets to 0 on start.", lastCompactionSeconds)
        .histogram(
            "etcd_debugging_mvcc_db_compaction_total_duration_milliseconds", "Bucketed histogram of db compaction total duration.", compactionMillis);
  }
}
