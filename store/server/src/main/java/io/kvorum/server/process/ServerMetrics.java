package io.kvorum.server.process;

import io.kvorum.raft.Role;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.front.HttpResponse;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import io.kvorum.server.metrics.ProcessMetrics;
import java.util.List;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/** {@code /metrics} and {@code /debug/vars}: put together when asked. */
final class ServerMetrics {
  private final List<MetricSource> sources;
  private final Supplier<RaftStatus> raft;
  private final LongAdder scrapes = new LongAdder();

  ServerMetrics(List<MetricSource> sources, Supplier<RaftStatus> raft) {
    this.sources = List.copyOf(sources);
    this.raft = raft;
  }

  HttpResponse text() {
    MetricsText out = new MetricsText();
    sources.forEach(source -> source.collect(out));
    out.counter(
        "promhttp_metric_handler_requests_total", "Total number of scrapes by HTTP status code.", MetricsText.labels("code", "200"), scrapes.sum());
    out.gauge("promhttp_metric_handler_requests_in_flight", "Current number of scrapes being served.", 1);
    scrapes.increment();
    return HttpResponse.ok(MetricsText.CONTENT_TYPE, out.toString());
  }

  /** The page of Go's expvar, with etcd's keys as far as they mean something here. The command line is the program's name alone: arguments may be secrets. */
  HttpResponse variables() {
    Runtime runtime = Runtime.getRuntime();
    long heap = runtime.totalMemory() - runtime.freeMemory();
    String body =
        "{\n\"cmdline\": [\"" + System.getProperty("kvorum.name", "kvorum") + "\"],\n"
            + "\"file_descriptor_limit\": " + (long) ProcessMetrics.fileDescriptorLimit() + ",\n"
            + "\"memstats\": {\"Alloc\":" + heap + ",\"HeapAlloc\":" + heap + ",\"HeapSys\":" + runtime.totalMemory() + "},\n"
            + "\"raft.status\": " + status(raft.get()) + "\n}\n";
    return HttpResponse.ok("application/json; charset=utf-8", body);
  }

  private static String status(RaftStatus raft) {
    StringJoiner progress = new StringJoiner(",", "{", "}");
    if (raft.isLeader()) {
      progress.add(progress(raft.id(), raft.lastIndex(), "StateReplicate"));
    }
    new TreeMap<>(raft.followers())
        .forEach((id, follower) -> progress.add(progress(id, follower.match(), follower.snapshotting() ? "StateSnapshot" : "StateReplicate")));
    return "{\"id\":\"" + MemberIds.hex(raft.id()) + "\",\"term\":" + raft.term() + ",\"commit\":" + raft.commit() + ",\"lead\":\"" + MemberIds.hex(raft.leader())
        + "\",\"raftState\":\"" + state(raft.role()) + "\",\"applied\":" + raft.applied() + ",\"progress\":" + progress
        + ",\"leadtransferee\":\"" + MemberIds.hex(raft.transferee()) + "\"}";
  }

  private static String progress(long id, long match, String state) {
    return "\"" + MemberIds.hex(id) + "\":{\"match\":" + match + ",\"next\":" + (match + 1) + ",\"state\":\"" + state + "\"}";
  }

  private static String state(Role role) {
    return switch (role) {
      case LEADER -> "StateLeader";
      case CANDIDATE -> "StateCandidate";
      case PRE_CANDIDATE -> "StatePreCandidate";
      case FOLLOWER -> "StateFollower";
    };
  }
}
