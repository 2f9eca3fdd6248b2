package io.kvorum.discovery;

import java.util.random.RandomGenerator;

/** Growing pauses between tries: from 100 ms, doubled each time, up to 5 s, a fifth more or less by chance. */
final class Backoff {
  static final long FIRST_MILLIS = 100;
  static final long LAST_MILLIS = 5_000;
  private static final double SPREAD = 0.2;

  private final RandomGenerator random;
  private long next = FIRST_MILLIS;

  Backoff(RandomGenerator random) {
    this.random = random;
  }

  /** Milliseconds to wait now. */
  long nextMillis() {
    long pause = Math.round(next * (1 + SPREAD * (2 * random.nextDouble() - 1)));
    next = Math.min(LAST_MILLIS, 2 * next);
    return pause;
  }

  /** All is well again. */
  void reset() {
    next = FIRST_MILLIS;
  }
}
