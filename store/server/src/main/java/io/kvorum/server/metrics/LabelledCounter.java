package io.kvorum.server.metrics;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;

/** Counters by the value of a label. At most {@value #SERIES_MAX} values: what comes beyond is counted as {@value #OTHER}, so that no caller can fill the memory. */
public final class LabelledCounter {
  static final int SERIES_MAX = 256;
  static final String OTHER = "other";

  private final Map<String, LongAdder> series = new ConcurrentHashMap<>();

  public void increment(String label) {
    add(label, 1);
  }

  public void add(String label, long amount) {
    of(label).add(amount);
  }

  /** The counter of one value, for keeping. */
  public LongAdder of(String label) {
    LongAdder known = series.get(label);
    return known != null ? known : series.computeIfAbsent(series.size() < SERIES_MAX ? label : OTHER, key -> new LongAdder());
  }

  /** In the order of the labels. */
  public void forEach(BiConsumer<String, Long> action) {
    series.entrySet().stream().sorted(Map.Entry.comparingByKey()).forEach(entry -> action.accept(entry.getKey(), entry.getValue().sum()));
  }
}
