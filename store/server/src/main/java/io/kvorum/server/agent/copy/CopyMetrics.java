package io.kvorum.server.agent.copy;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.StoreClosedException;
import io.kvorum.server.agent.copy.LocalCopy.State;
import io.kvorum.server.metrics.MetricsText;
import java.util.List;

/** What {@code /metrics} shows of the copy. */
final class CopyMetrics {
  private static final List<String> STATES = List.of("loading", "live", "cut_off", "too_large", "refused");

  private CopyMetrics() {}

  static void collect(MetricsText out, State state, MvccStore store, CopyCounters counters, List<Span> spans, long maxBytes, long now) {
    String present = name(state);
    for (String name : STATES) {
      out.gauge("kvorum_agent_copy_state", "1 for the state of the local copy.", MetricsText.labels("state", name), name.equals(present) ? 1 : 0);
    }
    out.gauge(
            "kvorum_agent_cut_off_seconds",
            "Seconds since the last heartbeat that the cluster answered, while the agent is cut off; else 0.",
            state instanceof State.CutOff cutOff ? (now - cutOff.sinceNanos()) / 1e9 : 0)
        .gauge("kvorum_agent_copy_revision", "Newest revision of the local copy.", store.revision())
        .gauge("kvorum_agent_copy_compact_revision", "Oldest revision that the local copy still has.", store.compactRevision())
        .gauge("kvorum_agent_cluster_revision", "Revision of the cluster at the last heartbeat.", counters.clusterRevision)
        .gauge("kvorum_agent_copy_keys", "Keys in the local copy.", keys(store, spans))
        .gauge("kvorum_agent_copy_bytes", "Bytes of encoded pairs and history in the local copy, those to be removed included.", store.sizeBytes())
        .gauge("kvorum_agent_copy_in_use_bytes", "Bytes of encoded pairs and history in the local copy.", store.sizeInUseBytes())
        .gauge("kvorum_agent_copy_max_bytes", "Bytes that the local copy may take.", maxBytes)
        .gauge("kvorum_agent_upstream_watches", "Watches that feed the local copy, one for each mirrored prefix.", counters.watches)
        .counter("kvorum_agent_copy_events_total", "Events that the local copy took from the cluster.", counters.events.sum())
        .counter("kvorum_agent_copy_bases_total", "Times that the local copy was read anew from the cluster.", counters.bases.sum())
        .counter("kvorum_agent_copy_too_large_total", "Times that the local copy was given up because it was too large.", counters.tooLarge.sum())
        .counter("kvorum_agent_upstream_watch_breaks_total", "Times that the watch of the local copy broke and was opened anew.", counters.breaks.sum())
        .counter("kvorum_agent_upstream_progress_requests_total", "Times that the cluster was asked how far the watch is.", counters.questions.sum());
  }

  private static long keys(MvccStore store, List<Span> spans) {
    try (ReadView view = store.view()) {
      long keys = 0;
      for (Span span : spans) {
        keys += view.range(new RangeQuery(span.from(), span.rangeEnd().toByteArray(), 0, 0, true)).count();
      }
      return keys;
    } catch (StoreClosedException empty) {
      return 0;
    }
  }

  private static String name(State state) {
    return switch (state) {
      case State.Loading loading -> "loading";
      case State.Live live -> "live";
      case State.CutOff cutOff -> "cut_off";
      case State.TooLarge tooLarge -> "too_large";
      case State.Refused refused -> "refused";
    };
  }
}
