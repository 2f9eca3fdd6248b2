package io.kvorum.server.metrics;

import java.util.Map;
import java.util.TreeMap;

/** Collects one answer of {@code /metrics} in the Prometheus text format: families in the order of their names, samples of one family together. */
public final class MetricsText {
  public static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private final Map<String, StringBuilder> families = new TreeMap<>();

  public MetricsText gauge(String name, String help, double value) {
    return sample(name, help, "gauge", "", value);
  }

  /**
   * @param labels as {@link #labels} makes them
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
    return histogram(name, help, "", histogram);
  }

  /**
   * @param labels as {@link #labels} makes them
   */
  public MetricsText histogram(String name, String help, String labels, Histogram histogram) {
    StringBuilder family = family(name, help, "histogram");
    String before = labels.isEmpty() ? "" : labels + ",";
    long[] counts = histogram.cumulative();
    for (int i = 0; i < histogram.bounds(); i++) {
      line(family, name + "_bucket", before + "le=\"" + number(histogram.bound(i)) + "\"", counts[i]);
    }
    long all = counts[histogram.bounds()];
    line(family, name + "_bucket", before + "le=\"+Inf\"", all);
    line(family, name + "_sum", labels, histogram.shownSum());
    line(family, name + "_count", labels, all);
    return this;
  }

  /** Labels of one sample, from alternating names and values. */
  public static String labels(String... namesAndValues) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      String value = namesAndValues[i + 1].replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
      out.append(out.isEmpty() ? "" : ",").append(namesAndValues[i]).append("=\"").append(value).append('"');
    }
    return out.toString();
  }

  private MetricsText sample(String name, String help, String type, String labels, double value) {
    line(family(name, help, type), name, labels, value);
    return this;
  }

  private StringBuilder family(String name, String help, String type) {
    return families.computeIfAbsent(
        name, key -> new StringBuilder("# HELP ").append(name).append(' ').append(help).append("\n# TYPE ").append(name).append(' ').append(type).append('\n'));
  }

  private static void line(StringBuilder family, String name, String labels, double value) {
    family.append(name);
    if (!labels.isEmpty()) {
      family.append('{').append(labels).append('}');
    }
    family.append(' ').append(number(value)).append('\n');
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15 ? Long.toString((long) value) : Double.toString(value);
  }

  @Override
  public String toString() {
    return String.join("", families.values());
  }
}
