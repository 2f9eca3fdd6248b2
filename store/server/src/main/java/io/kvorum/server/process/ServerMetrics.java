package io.kvorum.server.process;

import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.front.HttpResponse;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.List;
import java.util.Map;
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

  /** Go's expvar page, as far as it means something here. */
  HttpResponse variables() {
    RaftStatus status = raft.get();
    Map<String, Long> lag = new TreeMap<>();
    status.followers().forEach((id, progress) -> lag.put(MemberIds.hex(id), progress.match()));
    StringBuilder matches = new StringBuilder();
    lag.forEach((id, match) -> matches.append(matches.isEmpty() ? "" : ",").append('"').append(id).append("\":{\"match\":").append(match).append('}'));
    return HttpResponse.ok(
        "application/json; charset=utf-8",
        "{\n\"raft.status\": {\"id\":\"" + MemberIds.hex(status.id()) + "\",\"term\":" + status.term() + ",\"lead\":\"" + MemberIds.hex(status.leader())
            + "\",\"commit\":" + status.commit() + ",\"applied\":" + status.applied() + ",\"raftState\":\"" + status.role() + "\",\"progress\":{" + matches + "}},\n"
            + "\"memory\": {\"heap\":" + (Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory()) + "}\n}\n");
  }
}
