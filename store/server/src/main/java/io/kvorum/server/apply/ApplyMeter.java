package io.kvorum.server.apply;

import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.config.GoSyntax;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.Histogram;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * What requests did to the history and how long that took, from the log and from reads alike; requests that took longer than {@code --warning-apply-duration} are logged. Counts are
 * this member's own since its start.
 */
public final class ApplyMeter implements MetricSource {
  private static final Log LOG = Log.of(ApplyMeter.class);
  private static final double FIRST_SECONDS = 0.0001;
  private static final int BOUNDS = 20;
  private static final String APPLY_HELP = "The latency distributions of v2 apply called by backend.";
  private static final String APPLY = "etcd_server_apply_duration_seconds";

  /** The operations by the names that etcd gives them; what members agree on among themselves has none and is not shown. */
  private static final Map<RequestKind, String> NAMES =
      new EnumMap<>(
          Map.ofEntries(
              Map.entry(RequestKind.PUT, "Put"), Map.entry(RequestKind.TXN, "Txn"), Map.entry(RequestKind.DELETE_RANGE, "DeleteRange"),
              Map.entry(RequestKind.COMPACTION, "Compaction"), Map.entry(RequestKind.LEASE_GRANT, "LeaseGrant"),
              Map.entry(RequestKind.LEASE_REVOKE, "LeaseRevoke"), Map.entry(RequestKind.LEASE_CHECKPOINT, "LeaseCheckpoint"),
              Map.entry(RequestKind.PUT_WITH_LEASE, "PutWithLease"), Map.entry(RequestKind.ALARM, "Alarm"),
              Map.entry(RequestKind.CLUSTER_VERSION_SET, "ClusterVersionSet"), Map.entry(RequestKind.MEMBER_ATTRIBUTES_SET, "ClusterMemberAttrSet")));

  private volatile long slowNanos;
  private final LongAdder puts = new LongAdder();
  private final LongAdder putBytes = new LongAdder();
  private final LongAdder deletions = new LongAdder();
  private final LongAdder ranges = new LongAdder();
  private final LongAdder txns = new LongAdder();
  private final LongAdder slow = new LongAdder();
  private final Histogram rangeSucceeded = histogram();
  private final Histogram rangeFailed = histogram();
  private final Outcomes[] byKind = new Outcomes[RequestKind.values().length];
  private volatile boolean installing;
  private final Map<String, Outcomes> rare = new ConcurrentHashMap<>();

  /** Durations of one operation. */
  private record Outcomes(Histogram succeeded, Histogram failed) {
    Outcomes() {
      this(histogram(), histogram());
    }

    void collect(MetricsText out, String operation) {
      collect(out, operation, succeeded, "true");
      collect(out, operation, failed, "false");
    }

    private static void collect(MetricsText out, String operation, Histogram histogram, String success) {
      if (!histogram.isEmpty()) {
        out.histogram(APPLY, APPLY_HELP, MetricsText.labels("op", operation, "success", success, "version", "v3"), histogram);
      }
    }
  }

  /**
   * @param slow what takes longer is logged
   */
  public ApplyMeter(Duration slow) {
    this.slowNanos = slow.toNanos();
    for (RequestKind kind : NAMES.keySet()) {
      byKind[kind.ordinal()] = new Outcomes();
    }
  }

  /** What takes longer is logged from now on; any thread. */
  public void warnAfter(Duration slow) {
    slowNanos = slow.toNanos();
  }

  private static Histogram histogram() {
    return new Histogram(FIRST_SECONDS, BOUNDS);
  }

  void put(int bytes) {
    puts.increment();
    putBytes.add(bytes);
  }

  void deletion() {
    deletions.increment();
  }

  void range() {
    ranges.increment();
  }

  /** A received snapshot is being installed, or no longer. */
  void installing(boolean now) {
    installing = now;
  }

  /** A transaction of more than one operation, as etcd counts them. */
  public void txn(int operations) {
    if (operations > 1) {
      txns.increment();
    }
  }

  /** One request of the log is applied. */
  void applied(RequestKind kind, LogRequest request, Result result, long nanos) {
    Outcomes outcomes = byKind[kind.ordinal()];
    if (outcomes == null && kind == RequestKind.AUTH) {
      outcomes = rare.computeIfAbsent(authName(request), name -> new Outcomes());
    }
    boolean succeeded = !(result instanceof Result.Refusal);
    if (outcomes != null) {
      (succeeded ? outcomes.succeeded : outcomes.failed).record(nanos);
    }
    if (nanos > slowNanos) {
      String error = result instanceof Result.Refusal(var reason) ? reason.text() : "";
      slow(nanos, "", describe(kind, request), error);
    }
  }

  /** A read of a range from a view. */
  public void range(long nanos, boolean succeeded, RangeRequest request) {
    ranges.increment();
    (succeeded ? rangeSucceeded : rangeFailed).record(nanos);
    if (nanos > slowNanos) {
      String what = "key:\"" + request.getKey().toStringUtf8() + "\" range_end:\"" + request.getRangeEnd().toStringUtf8() + "\" limit:" + request.getLimit();
      slow(nanos, "read-only range ", what, "");
    }
  }

  /** A transaction that only read. */
  public void readTxn(long nanos, int operations, int requestBytes) {
    ranges.add(operations);
    txn(operations);
    if (nanos > slowNanos) {
      slow(nanos, "read-only txn ", "txn:<size:" + requestBytes + ">", "");
    }
  }

  private void slow(long nanos, String prefix, String request, String error) {
    slow.increment();
    LOG.warn(
        "apply request took too long", "took", text(nanos), "expected-duration", text(slowNanos), "prefix", prefix, "request", request, "error", error);
  }

  private static String text(long nanos) {
    return GoSyntax.text(Duration.ofNanos(nanos));
  }

  /** Without values: they may be secrets. */
  private static String describe(RequestKind kind, LogRequest request) {
    if (kind == RequestKind.PUT || kind == RequestKind.PUT_WITH_LEASE) {
      PutRequest put = kind == RequestKind.PUT ? request.getPut() : request.getPutWithLease().getPut();
      return "put:<key:\"" + put.getKey().toStringUtf8() + "\" value_size:" + put.getValue().size() + " >";
    }
    return NAMES.getOrDefault(kind, kind.name()) + ":<size:" + request.getSerializedSize() + " >";
  }

  private static String authName(LogRequest request) {
    for (var field : request.getAllFields().keySet()) {
      String name = field.getJsonName();
      if (name.startsWith("auth")) {
        return Character.toUpperCase(name.charAt(0)) + name.substring(1);
      }
    }
    return "Auth";
  }

  @Override
  public void collect(MetricsText out) {
    out.counter("etcd_mvcc_put_total", "Total number of puts seen by this member.", puts.sum())
        .counter("etcd_mvcc_delete_total", "Total number of deletes seen by this member.", deletions.sum())
        .counter("etcd_mvcc_range_total", "Total number of ranges seen by this member.", ranges.sum())
        .counter("etcd_mvcc_txn_total", "Total number of txns seen by this member.", txns.sum())
        .gauge("etcd_debugging_mvcc_total_put_size_in_bytes", "The total size of put kv pairs seen by this member.", putBytes.sum())
        .gauge(
            "etcd_server_snapshot_apply_in_progress_total", "1 if the server is applying the incoming snapshot. 0 if none.", installing ? 1 : 0)
        .counter("etcd_server_slow_apply_total", "The total number of slow apply requests (likely overloaded from slow disk).", slow.sum());
    for (Map.Entry<RequestKind, String> kind : NAMES.entrySet()) {
      byKind[kind.getKey().ordinal()].collect(out, kind.getValue());
    }
    new TreeMap<>(rare).forEach((operation, outcomes) -> outcomes.collect(out, operation));
    String help = "The latency distributions of txn.Range";
    out.histogram("etcd_server_range_duration_seconds", help, MetricsText.labels("success", "true"), rangeSucceeded)
        .histogram("etcd_server_range_duration_seconds", help, MetricsText.labels("success", "false"), rangeFailed);
  }
}
