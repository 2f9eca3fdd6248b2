package io.kvorum.server.front;

import java.util.concurrent.atomic.DoubleAdder;
import java.util.concurrent.atomic.LongAdder;

/** Durations in buckets that double, as etcd's histograms have them. Recording is a few additions without a lock. */
public final class Histogram {
  private static final double NANOS_PER_SECOND = 1e9;

  private final double[] bounds;
  private final LongAdder[] buckets;
  private final DoubleAdder sum = new DoubleAdder();

  /**
   * @param firstSeconds upper bound of the first bucket
   * @param count number of bounds, each twice the one before; what is above the last has a bucket of its own
   */
  public Histogram(double firstSeconds, int count) {
    this.bounds = new double[count];
    this.buckets = new LongAdder[count + 1];
    double bound = firstSeconds;
    for (int i = 0; i < count; i++) {
      bounds[i] = bound;
      bound *= 2;
      buckets[i] = new LongAdder();
    }
    buckets[count] = new LongAdder();
  }

  public void record(long nanos) {
    double seconds = nanos / NANOS_PER_SECOND;
    int bucket = 0;
    while (bucket < bounds.length && seconds > bounds[bucket]) {
      bucket++;
    }
    buckets[bucket].increment();
    sum.add(seconds);
  }

  double bound(int bucket) {
    return bounds[bucket];
  }

  int bounds() {
    return bounds.length;
  }

  /** Records at or below the bound of a bucket; of all buckets for the last. */
  long cumulative(int bucket) {
    long count = 0;
    for (int i = 0; i <= bucket; i++) {
      count += buckets[i].sum();
    }
    return count;
  }

  double sumSeconds() {
    return sum.sum();
  }
}
