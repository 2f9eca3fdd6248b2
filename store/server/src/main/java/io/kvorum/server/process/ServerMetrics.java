package io.kvorum.server.process;

import io.kvorum.raft.log.SyncObserver;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.protocol.v1.Certificate;
import io.kvorum.server.admin.Certificates;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Version;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.front.HealthEndpoints;
import io.kvorum.server.front.Histogram;
import io.kvorum.server.front.HttpResponse;
import io.kvorum.server.front.MetricsText;
import io.kvorum.server.front.ProcessMetrics;
import io.kvorum.server.watch.WatchHub;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/** {@code /metrics} and {@code /debug/vars}: read when asked, so that serving pays nothing for them. */
final class ServerMetrics {
  private final Kernel kernel;
  private final Members members;
  private final WatchHub watches;
  private final HealthEndpoints health;
  private final LeaderChanges leaderChanges;
  private final LogSyncs syncs;
  private final Certificates certificates;
  private final Histogram snapshots;

  ServerMetrics(
      Kernel kernel, Members members, WatchHub watches, HealthEndpoints health, LeaderChanges leaderChanges, LogSyncs syncs, Certificates certificates,
      Histogram snapshots) {
    this.kernel = kernel;
    this.members = members;
    this.watches = watches;
    this.health = health;
    this.leaderChanges = leaderChanges;
    this.syncs = syncs;
    this.certificates = certificates;
    this.snapshots = snapshots;
  }

  /** Counts how often the member saw another leader than before; asked regularly, because nothing else remembers. */
  static final class LeaderChanges {
    private final AtomicLong count = new AtomicLong();
    private long last;

    /** Called by one timer. */
    void look(long leader) {
      if (leader != 0 && leader != last) {
        last = leader;
        count.incrementAndGet();
      }
    }
  }

  /** How long the log's forces took, and what they wrote. */
  static final class LogSyncs implements SyncObserver {
    private static final double FIRST_SECONDS = 0.001;
    private static final int BOUNDS = 14;

    private final Histogram seconds = new Histogram(FIRST_SECONDS, BOUNDS);
    private final LongAdder bytes = new LongAdder();

    @Override
    public void synced(long written, long nanos) {
      seconds.record(nanos);
      bytes.add(written);
    }
  }

  HttpResponse text() {
    MetricsText out = new MetricsText();
    consensus(out);
    store(out);
    out.histogram("etcd_disk_wal_fsync_duration_seconds", "The latency distributions of fsync called by WAL.", syncs.seconds)
        .histogram("etcd_disk_backend_snapshot_duration_seconds", "The latency distribution of backend snapshots.", snapshots)
        .gauge("etcd_disk_wal_write_bytes_total", "Total number of bytes written in WAL.", syncs.bytes.sum());
    watches(out);
    certificates(out);
    health.metrics(out);
    ProcessMetrics.collect(out);
    return HttpResponse.ok("text/plain; version=0.0.4; charset=utf-8", out.toString());
  }

  private void consensus(MetricsText out) {
    RaftStatus raft = kernel.raft().get();
    out.gauge("etcd_server_has_leader", "Whether or not a leader exists. 1 is existence, 0 is not.", raft.leader() == 0 ? 0 : 1)
        .gauge("etcd_server_is_leader", "Whether or not this member is a leader. 1 if is, 0 otherwise.", raft.isLeader() ? 1 : 0)
        .gauge("etcd_server_is_learner", "Whether or not this member is a learner. 1 if is, 0 otherwise.", members.isLocalLearner() ? 1 : 0)
        .counter("etcd_server_leader_changes_seen_total", "The number of leader changes seen.", leaderChanges.count.get())
        .gauge("etcd_server_proposals_committed_total", "The total number of consensus proposals committed.", raft.commit())
        .gauge("etcd_server_proposals_applied_total", "The total number of consensus proposals applied.", raft.applied())
        .gauge("etcd_server_quota_backend_bytes", "Current backend storage quota size in bytes.", kernel.limits().quotaBytes())
        .gauge("etcd_server_version", "Which version is running. 1 for 'server_version' label with current version.", "server_version=\"" + Version.ETCD + "\"", 1)
        .gauge("etcd_server_id", "Server or member ID in hexadecimal format. 1 for 'server_id' label with current ID.",
            "server_id=\"" + MemberIds.hex(kernel.memberId()) + "\"", 1)
        .gauge("kvorum_server_version", "Version of Kvorum.", "version=\"" + Version.kvorum() + "\"", 1)
        .gauge("kvorum_raft_term", "Current term.", raft.term())
        .gauge("kvorum_raft_last_index", "Last index of the log.", raft.lastIndex());
    String version = members.view().clusterVersion();
    if (!version.isEmpty()) {
      String minor = version.substring(0, version.lastIndexOf('.'));
      out.gauge("etcd_cluster_version", "Which version is running. 1 for 'cluster_version' label with current cluster version",
          "cluster_version=\"" + minor + "\"", 1);
    }
  }

  private void store(MetricsText out) {
    out.gauge("etcd_mvcc_db_total_size_in_bytes", "Total size of the underlying database physically allocated in bytes.", kernel.store().sizeBytes())
        .gauge("etcd_mvcc_db_total_size_in_use_in_bytes", "Total size of the underlying database logically in use in bytes.", kernel.store().sizeInUseBytes())
        .gauge("etcd_debugging_mvcc_current_revision", "The current revision of store.", kernel.store().revision())
        .gauge("etcd_debugging_mvcc_compact_revision", "The revision of the last compaction in store.", kernel.store().compactRevision());
  }

  private void watches(MetricsText out) {
    out.gauge("etcd_debugging_mvcc_watcher_total", "Total number of watchers.", watches.watchers())
        .gauge("etcd_debugging_mvcc_watch_stream_total", "Total number of watch streams.", watches.streams())
        .gauge("etcd_debugging_mvcc_slow_watcher_total", "Total number of unsynced slow watchers.", watches.slowWatchers())
        .counter("etcd_debugging_mvcc_events_total", "Total number of events sent by this member.", watches.events());
  }

  private void certificates(MetricsText out) {
    for (Certificate certificate : certificates.list()) {
      out.gauge(
          "kvorum_certificate_expiry_timestamp_seconds", "When a certificate in use expires, in seconds since 1970, by its place in the TLS files.",
          "role=\"" + certificate.getRole().name().toLowerCase(Locale.ROOT) + "\",position=\"" + certificate.getPosition() + "\",subject=\""
              + escaped(certificate.getSubject()) + "\",sha256=\"" + certificate.getSha256() + "\"",
          certificate.getNotAfter());
    }
  }

  private static String escaped(String label) {
    return label.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
  }

  /** Go's expvar page, as far as it means something here. */
  HttpResponse variables() {
    RaftStatus raft = kernel.raft().get();
    Map<String, Long> lag = new java.util.TreeMap<>();
    raft.followers().forEach((id, progress) -> lag.put(MemberIds.hex(id), progress.match()));
    StringBuilder matches = new StringBuilder();
    lag.forEach((id, match) -> matches.append(matches.isEmpty() ? "" : ",").append('"').append(id).append("\":{\"match\":").append(match).append('}'));
    return HttpResponse.ok(
        "application/json; charset=utf-8",
        "{\n\"raft.status\": {\"id\":\"" + MemberIds.hex(raft.id()) + "\",\"term\":" + raft.term() + ",\"lead\":\"" + MemberIds.hex(raft.leader())
            + "\",\"commit\":" + raft.commit() + ",\"applied\":" + raft.applied() + ",\"raftState\":\"" + raft.role() + "\",\"progress\":{" + matches + "}},\n"
            + "\"memory\": {\"heap\":" + (Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory()) + "}\n}\n");
  }
}
