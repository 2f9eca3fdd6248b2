package io.kvorum.operator.runtime.local;

import java.time.Duration;

/** Pauses after passes that failed: a second, half as much again after each failure in a row, half a minute at most. Not safe for several threads. */
final class Retries {
  private static final Duration FIRST = Duration.ofSeconds(1);
  private static final Duration LONGEST = Duration.ofSeconds(30);

  private Duration next = FIRST;

  /** After a failure. */
  Duration pause() {
    Duration now = next;
    Duration grown = now.plus(now.dividedBy(2));
    next = grown.compareTo(LONGEST) > 0 ? LONGEST : grown;
    return now;
  }

  /** A pass went well. */
  void reset() {
    next = FIRST;
  }
}
