package io.kvorum.server.agent.dns;

import io.kvorum.server.metrics.LabelledCounter;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.concurrent.atomic.LongAdder;

/** Counts queries. Any thread. */
final class DnsMeter implements MetricSource {
  private final LabelledCounter types = new LabelledCounter();
  private final LabelledCounter codes = new LabelledCounter();
  private final LongAdder truncated = new LongAdder();
  private final LongAdder malformed = new LongAdder();
  private final LongAdder connections = new LongAdder();
  private final LongAdder refusedConnections = new LongAdder();

  /** @param type number, 0 for none */
  void answered(int type, int code, boolean cut) {
    types.increment(type(type));
    codes.increment(code(code));
    if (cut) {
      truncated.increment();
    }
  }

  /** A query that could not be read; it gets no answer. */
  void malformed() {
    malformed.increment();
  }

  /** A connection was taken, or refused because there are too many. */
  void connected(boolean taken) {
    (taken ? connections : refusedConnections).increment();
  }

  private static String type(int type) {
    return switch (type) {
      case Resource.A -> "A";
      case Resource.AAAA -> "AAAA";
      case Resource.SRV -> "SRV";
      case Resource.SOA -> "SOA";
      case Resource.NS -> "NS";
      case Resource.ANY -> "ANY";
      default -> "other";
    };
  }

  private static String code(int code) {
    return switch (code) {
      case Answer.NO_ERROR -> "NOERROR";
      case Answer.FORMAT_ERROR -> "FORMERR";
      case Answer.SERVER_FAILURE -> "SERVFAIL";
      case Answer.NAME_ERROR -> "NXDOMAIN";
      case Answer.NOT_IMPLEMENTED -> "NOTIMP";
      case Answer.REFUSED -> "REFUSED";
      case Answer.BAD_VERSION -> "BADVERS";
      default -> "other";
    };
  }

  @Override
  public void collect(MetricsText out) {
    types.forEach((type, count) -> out.counter("kvorum_agent_dns_queries_total", "DNS questions by their type.", MetricsText.labels("type", type), count));
    codes.forEach((code, count) -> out.counter("kvorum_agent_dns_responses_total", "DNS responses by their code.", MetricsText.labels("rcode", code), count));
    out.counter("kvorum_agent_dns_truncated_total", "DNS responses that did not fit.", truncated.sum())
        .counter("kvorum_agent_dns_malformed_total", "DNS messages that could not be read.", malformed.sum())
        .counter("kvorum_agent_dns_connections_total", "TCP connections for DNS.", connections.sum())
        .counter("kvorum_agent_dns_connections_refused_total", "TCP connections for DNS that were too many.", refusedConnections.sum());
  }
}
