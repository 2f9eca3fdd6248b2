package io.kvorum.server.process;

import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.server.metrics.CallMeter;
import io.kvorum.server.metrics.Histogram;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;

/** How long maintenance takes, seen from its calls. */
final class MaintenanceTimes implements MetricSource {
  private static final String DEFRAGMENT = MaintenanceGrpc.getDefragmentMethod().getFullMethodName();

  private final CallMeter calls;
  private final Histogram snapshots;
  private final Histogram defragmentations = new Histogram(0.1, 13);
  private final Histogram hashes = new Histogram(0.01, 15);
  private final Histogram hashesAtRevision = new Histogram(0.01, 15);

  /**
   * @param snapshots filled by those who take them
   */
  MaintenanceTimes(CallMeter calls, Histogram snapshots) {
    this.snapshots = snapshots;
    this.calls =
        calls
            .alsoIn(DEFRAGMENT, defragmentations)
            .alsoIn(MaintenanceGrpc.getHashMethod().getFullMethodName(), hashes)
            .alsoIn(MaintenanceGrpc.getHashKVMethod().getFullMethodName(), hashesAtRevision);
  }

  @Override
  public void collect(MetricsText out) {
    out.histogram("etcd_disk_backend_snapshot_duration_seconds", "The latency distribution of backend snapshots.", snapshots)
        .histogram("etcd_disk_backend_defrag_duration_seconds", "The latency distribution of backend defragmentation.", defragmentations)
        .gauge("etcd_disk_defrag_inflight", "Whether or not defrag is active on the member. 1 means active, 0 means not.", calls.underWay(DEFRAGMENT) > 0 ? 1 : 0)
        .histogram("etcd_mvcc_hash_duration_seconds", "The latency distribution of storage hash operation.", hashes)
        .histogram("etcd_mvcc_hash_rev_duration_seconds", "The latency distribution of storage hash by revision operation.", hashesAtRevision);
  }
}
