package io.kvorum.server.process;

import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.ReadView;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Version;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/** Consensus and history of a member as they are when asked: serving pays nothing for them. */
final class MemberMetrics implements MetricSource {
  private static final byte[] FIRST_KEY = {0};
  private static final byte[] TO_THE_END = {0};
  private static final Set<String> BETA = Set.of("AllBeta", "TxnModeWriteWithSharedBuffer");

  private final Kernel kernel;
  private final Members members;
  private final Map<String, Boolean> features;
  private final AtomicLong leaderChanges = new AtomicLong();
  private long lastLeader;

  /**
   * @param features whether each of etcd's features is on
   */
  MemberMetrics(Kernel kernel, Members members, Map<String, Boolean> features) {
    this.kernel = kernel;
    this.members = members;
    this.features = new TreeMap<>(features);
  }

  /** Counts how often the member saw another leader than before; called regularly by one timer, because nothing else remembers. */
  void look(long leader) {
    if (leader != 0 && leader != lastLeader) {
      lastLeader = leader;
      leaderChanges.incrementAndGet();
    }
  }

  @Override
  public void collect(MetricsText out) {
    consensus(out);
    identity(out);
    history(out);
    features.forEach(
        (name, on) ->
            out.gauge(
                "etcd_server_feature_enabled", "Whether or not a feature is enabled. 1 is enabled, 0 is not.",
                MetricsText.labels("name", name, "stage", BETA.contains(name) ? "BETA" : "ALPHA"), on ? 1 : 0));
  }

  private void consensus(MetricsText out) {
    RaftStatus raft = kernel.raft().get();
    out.gauge("etcd_server_has_leader", "Whether or not a leader exists. 1 is existence, 0 is not.", raft.leader() == 0 ? 0 : 1)
        .gauge("etcd_server_is_leader", "Whether or not this member is a leader. 1 if is, 0 otherwise.", raft.isLeader() ? 1 : 0)
        .gauge("etcd_server_is_learner", "Whether or not this member is a learner. 1 if is, 0 otherwise.", members.isLocalLearner() ? 1 : 0)
        .counter("etcd_server_leader_changes_seen_total", "The number of leader changes seen.", leaderChanges.get())
        .gauge("etcd_server_proposals_committed_total", "The total number of consensus proposals committed.", raft.commit())
        .gauge("etcd_server_proposals_applied_total", "The total number of consensus proposals applied.", raft.applied())
        .gauge("kvorum_raft_term", "Current term.", raft.term())
        .gauge("kvorum_raft_last_index", "Last index of the log.", raft.lastIndex());
    raft.followers()
        .forEach(
            (id, progress) ->
                out.gauge(
                    "kvorum_raft_follower_match_index", "On the leader: last log index that a follower is known to hold durably.",
                    MetricsText.labels("follower", MemberIds.hex(id)), progress.match()));
  }

  private void identity(MetricsText out) {
    out.gauge("etcd_server_quota_backend_bytes", "Current backend storage quota size in bytes.", kernel.limits().quotaBytes())
        .gauge(
            "etcd_server_version", "Which version is running. 1 for 'server_version' label with current version.",
            MetricsText.labels("server_version", Version.ETCD), 1)
        .gauge(
            "etcd_server_id", "Server or member ID in hexadecimal format. 1 for 'server_id' label with current ID.",
            MetricsText.labels("server_id", MemberIds.hex(kernel.memberId())), 1)
        .gauge("kvorum_server_version", "Version of Kvorum.", MetricsText.labels("version", Version.kvorum()), 1);
    String version = members.view().clusterVersion();
    if (!version.isEmpty()) {
      out.gauge(
          "etcd_cluster_version", "Which version is running. 1 for 'cluster_version' label with current cluster version",
          MetricsText.labels("cluster_version", version.substring(0, version.lastIndexOf('.'))), 1);
    }
  }

  private void history(MetricsText out) {
    long views = kernel.store().openViews();
    long keys;
    try (ReadView view = kernel.store().view()) {
      keys = view.range(new RangeQuery(FIRST_KEY, TO_THE_END, 0, 0, true)).count();
    }
    out.gauge("etcd_mvcc_db_total_size_in_bytes", "Total size of the underlying database physically allocated in bytes.", kernel.store().sizeBytes())
        .gauge("etcd_mvcc_db_total_size_in_use_in_bytes", "Total size of the underlying database logically in use in bytes.", kernel.store().sizeInUseBytes())
        .gauge("etcd_mvcc_db_open_read_transactions", "The number of currently open read transactions", views)
        .gauge("etcd_debugging_mvcc_keys_total", "Total number of keys.", keys)
        .gauge("etcd_debugging_mvcc_current_revision", "The current revision of store.", kernel.store().revision())
        .gauge("etcd_debugging_mvcc_compact_revision", "The revision of the last compaction in store.", kernel.store().compactRevision())
        .gauge("kvorum_space_low", "Whether free disk space is below the reserve, so that writes are refused.", kernel.store().spaceLow() ? 1 : 0);
  }
}
