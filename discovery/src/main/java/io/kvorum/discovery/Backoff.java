package io.kvorum.discovery;

import java.util.random.RandomGenerator;

/** Growing pauses between tries: from 100 ms, doubled each time, up to a bound, a fifth more or less by chance. */
final class Backoff {
  static final long FIRST_MILLIS = 100;
  /** Where nothing hurries. */
  static final long LAST_MILLIS = 5_000;

  private static final double SPREAD = 0.2;

  private final RandomGenerator random;
  private final long lastMillis;
  private long next = FIRST_MILLIS;

  /** @param lastMillis the longest, at least the first */
  Backoff(RandomGenerator random, long lastMillis) {
    this.random = random;
    this.lastMillis = lastMillis;
  }

  /** Milliseconds to wait now. */
  long nextMillis() {
    long pause = Math.round(next * (1 + SPREAD * (2 * random.nextDouble() - 1)));
    next = Math.min(lastMillis, 2 * next);
    return pause;
  }

  /** All is well again. */
  void reset() {
    next = FIRST_MILLIS;
  }
}
