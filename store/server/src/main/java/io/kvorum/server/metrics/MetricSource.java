package io.kvorum.server.metrics;

/** A part that has something to show on {@code /metrics}. */
@FunctionalInterface
public interface MetricSource {
  /** Adds this part's families. Any thread, at each scrape; must not block. */
  void collect(MetricsText out);
}
