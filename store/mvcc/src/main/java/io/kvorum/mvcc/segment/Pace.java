package io.kvorum.mvcc.segment;

import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/** Holds background work to half of one processor: works for a slice, then rests as long. Not thread-safe. */
final class Pace {
  private static final long SLICE_NANOS = 2_000_000;
  private static final long REST_NANOS_MAX = 50_000_000;

  private final LongSupplier nanoTime;
  private long sliceBegan;

  Pace(LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.sliceBegan = nanoTime.getAsLong();
  }

  /** Called between small steps. */
  void step() {
    long worked = nanoTime.getAsLong() - sliceBegan;
    if (worked >= SLICE_NANOS) {
      LockSupport.parkNanos(Math.min(worked, REST_NANOS_MAX));
      sliceBegan = nanoTime.getAsLong();
    }
  }
}
