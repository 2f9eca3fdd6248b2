package io.kvorum.server.front;

import java.util.LinkedHashMap;
import java.util.Map;

/** Collects one answer of {@code /metrics} in the Prometheus text format; samples of one name stay together. */
public final class MetricsText {
  static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final Map<String, StringBuilder> families = new LinkedHashMap<>();

  public MetricsText gauge(String name, String help, double value) {
    return sample(name, help, "gauge", "", value);
  }

  /**
   * @param labels as {@code name="value",other="value"}
   */
  public MetricsText gauge(String name, String help, String labels, double value) {
    return sample(name, help, "gauge", labels, value);
  }

  public MetricsText counter(String name, String help, double value) {
    return sample(name, help, "counter", "", value);
  }

  public MetricsText counter(String name, String help, String labels, double value) {
    return sample(name, help, "counter", labels, value);
  }

  public MetricsText histogram(String name, String help, Histogram histogram) {
    StringBuilder family = new StringBuilder("# HELP ").append(name).append(' ').append(help).append("\n# TYPE ").append(name).append(" histogram\n");
    for (int i = 0; i < histogram.bounds(); i++) {
      family.append(name).append("_bucket{le=\"").append(number(histogram.bound(i))).append("\"} ").append(histogram.cumulative(i)).append('\n');
    }
    long count = histogram.cumulative(histogram.bounds());
    family.append(name).append("_bucket{le=\"+Inf\"} ").append(count).append('\n');
    family.append(name).append("_sum ").append(number(histogram.sumSeconds())).append('\n');
    family.append(name).append("_count ").append(count).append('\n');
    families.put(name, family);
    return this;
  }

  private MetricsText sample(String name, String help, String type, String labels, double value) {
    StringBuilder family =
        families.computeIfAbsent(
            name,
            key ->
                new StringBuilder("# HELP ").append(name).append(' ').append(help).append("\n# TYPE ").append(name).append(' ').append(type).append('\n'));
    family.append(name);
    if (!labels.isEmpty()) {
      family.append('{').append(labels).append('}');
    }
    family.append(' ').append(number(value)).append('\n');
    return this;
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15 ? Long.toString((long) value) : Double.toString(value);
  }

  @Override
  public String toString() {
    return String.join("", families.values());
  }
}
