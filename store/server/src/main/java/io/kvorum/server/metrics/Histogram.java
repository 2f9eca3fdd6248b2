package io.kvorum.server.metrics;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * Amounts in buckets, as Prometheus counts them. Amounts are recorded as whole numbers of a small unit (nanoseconds, say) and shown in a larger one (seconds). Recording is two
 * striped additions without a lock.
 */
public final class Histogram {
  private final double[] bounds;
  private final long[] limits;
  private final double unitsPerShown;
  private final LongAdder[] buckets;
  private final LongAdder sum = new LongAdder();

  private Histogram(double[] bounds, double unitsPerShown) {
    this.bounds = bounds;
    this.unitsPerShown = unitsPerShown;
    this.limits = new long[bounds.length];
    this.buckets = new LongAdder[bounds.length + 1];
    for (int i = 0; i < buckets.length; i++) {
      buckets[i] = new LongAdder();
    }
    for (int i = 0; i < bounds.length; i++) {
      limits[i] = Math.round(bounds[i] * unitsPerShown);
    }
  }

  /**
   * Durations, recorded in nanoseconds and shown in seconds, in buckets that double, as etcd's histograms have them.
   *
   * @param firstSeconds upper bound of the first bucket
   * @param count number of bounds, each twice the one before; what is above the last has a bucket of its own
   */
  public Histogram(double firstSeconds, int count) {
    this(doubling(firstSeconds, count), TimeUnit.SECONDS.toNanos(1));
  }

  /** Durations, recorded in nanoseconds and shown in seconds, with these bounds in seconds. */
  public static Histogram ofSeconds(double... bounds) {
    return new Histogram(bounds.clone(), TimeUnit.SECONDS.toNanos(1));
  }

  /** Amounts that are shown as they are recorded, in buckets that double. */
  public static Histogram ofAmounts(double first, int count) {
    return new Histogram(doubling(first, count), 1);
  }

  private static double[] doubling(double first, int count) {
    double[] bounds = new double[count];
    double bound = first;
    for (int i = 0; i < count; i++) {
      bounds[i] = bound;
      bound *= 2;
    }
    return bounds;
  }

  public void record(long amount) {
    int bucket = 0;
    while (bucket < limits.length && amount > limits[bucket]) {
      bucket++;
    }
    buckets[bucket].increment();
    sum.add(amount);
  }

  /** Whether nothing was recorded. */
  public boolean isEmpty() {
    for (LongAdder bucket : buckets) {
      if (bucket.sum() > 0) {
        return false;
      }
    }
    return true;
  }

  double bound(int bucket) {
    return bounds[bucket];
  }

  int bounds() {
    return bounds.length;
  }

  /** Records at or below each bound; the last is the number of all. */
  long[] cumulative() {
    long[] counts = new long[buckets.length];
    long count = 0;
    for (int i = 0; i < buckets.length; i++) {
      count += buckets[i].sum();
      counts[i] = count;
    }
    return counts;
  }

  double shownSum() {
    return sum.sum() / unitsPerShown;
  }
}
