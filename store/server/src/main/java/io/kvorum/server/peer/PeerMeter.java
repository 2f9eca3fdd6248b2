package io.kvorum.server.peer;

import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.metrics.Histogram;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** What goes over the wire between this member and each other one: etcd's {@code etcd_network_*} families of peers. */
final class PeerMeter implements MetricSource {
  private static final double ROUND_TRIP_FIRST_SECONDS = 0.0001;
  private static final int ROUND_TRIP_BOUNDS = 16;
  private static final double SNAPSHOT_FIRST_SECONDS = 0.1;
  private static final int SNAPSHOT_BOUNDS = 10;

  private final String local;
  private final Map<Long, Peer> peers = new ConcurrentHashMap<>();
  private final LongAdder heartbeatsFailed = new LongAdder();

  /** One other member. */
  static final class Peer {
    final LongAdder sentBytes = new LongAdder();
    final LongAdder receivedBytes = new LongAdder();
    final LongAdder sentFailures = new LongAdder();
    final LongAdder receivedFailures = new LongAdder();
    final LongAdder disconnects = new LongAdder();
    final Histogram roundTrips = new Histogram(ROUND_TRIP_FIRST_SECONDS, ROUND_TRIP_BOUNDS);
    final Transfers sent = new Transfers();
    final Transfers received = new Transfers();

    /** A link to it exists. */
    volatile boolean known;

    /** The link's stream is up. */
    volatile boolean active;
  }

  /** Snapshots in one direction. */
  static final class Transfers {
    private final LongAdder underWay = new LongAdder();
    private final LongAdder succeeded = new LongAdder();
    private final LongAdder failed = new LongAdder();
    private final Histogram seconds = new Histogram(SNAPSHOT_FIRST_SECONDS, SNAPSHOT_BOUNDS);

    /** One begins; the time is to be given back to {@link #ended}. */
    long began() {
      underWay.increment();
      return System.nanoTime();
    }

    void ended(long beganNanos, boolean success) {
      underWay.decrement();
      (success ? succeeded : failed).increment();
      if (success) {
        seconds.record(System.nanoTime() - beganNanos);
      }
    }

    private void collect(MetricsText out, String direction, String labels) {
      long all = succeeded.sum() + failed.sum() + underWay.sum();
      if (all == 0) {
        return;
      }
      String prefix = "etcd_network_snapshot_" + direction;
      out.counter(prefix + "_success", "Total number of successful snapshot " + direction + "s", labels, succeeded.sum())
          .counter(prefix + "_failures", "Total number of snapshot " + direction + " failures", labels, failed.sum())
          .gauge(prefix + "_inflights_total", "Total number of inflight snapshot " + direction + "s", labels, underWay.sum())
          .histogram(prefix + "_total_duration_seconds", "Total latency distributions of v3 snapshot " + direction + "s", labels, seconds);
    }
  }

  PeerMeter(long self) {
    this.local = MemberIds.hex(self);
  }

  Peer of(long member) {
    Peer known = peers.get(member);
    return known != null ? known : peers.computeIfAbsent(member, id -> new Peer());
  }

  /** A heartbeat found no room in the queue to its member. */
  void heartbeatFailed() {
    heartbeatsFailed.increment();
  }

  @Override
  public void collect(MetricsText out) {
    out.counter(
        "etcd_server_heartbeat_send_failures_total", "The total number of leader heartbeat send failures (likely overloaded from slow disk).",
        heartbeatsFailed.sum());
    String known = "The current number of known peers.";
    out.gauge("etcd_network_known_peers", known, MetricsText.labels("Local", local, "Remote", local), 1);
    new TreeMap<>(peers)
        .forEach(
            (id, peer) -> {
              String remote = MemberIds.hex(id);
              String pair = MetricsText.labels("Local", local, "Remote", remote);
              if (peer.known) {
                out.gauge("etcd_network_known_peers", known, pair, 1)
                    .gauge("etcd_network_active_peers", "The current number of active peer connections.", pair, peer.active ? 1 : 0)
                    .counter("etcd_network_disconnected_peers_total", "The total number of disconnected peers.", pair, peer.disconnects.sum());
              }
              traffic(out, peer, MetricsText.labels("To", remote), MetricsText.labels("From", remote));
            });
  }

  private static void traffic(MetricsText out, Peer peer, String to, String from) {
    out.counter("etcd_network_peer_sent_bytes_total", "The total number of bytes sent to peers.", to, peer.sentBytes.sum())
        .counter("etcd_network_peer_received_bytes_total", "The total number of bytes received from peers.", from, peer.receivedBytes.sum())
        .counter("etcd_network_peer_sent_failures_total", "The total number of send failures from peers.", to, peer.sentFailures.sum())
        .counter("etcd_network_peer_received_failures_total", "The total number of receive failures from peers.", from, peer.receivedFailures.sum())
        .histogram("etcd_network_peer_round_trip_time_seconds", "Round-Trip-Time histogram between peers", to, peer.roundTrips);
    peer.sent.collect(out, "send", to);
    peer.received.collect(out, "receive", from);
  }
}
