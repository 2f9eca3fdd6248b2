package io.kvorum.server.agent.copy;

import java.util.ArrayDeque;
import java.util.Deque;

/** How old what the copy shows can be, by the heartbeats that were answered. Pure. */
final class Freshness {
  static final long CUT_OFF_NANOS = 5_000_000_000L;
  private static final int BEATS_MAX = 16;

  /**
   * @param asked when, nanoseconds
   * @param revision the cluster's, then or later
   */
  private record Beat(long asked, long revision) {}

  /** Answers that the copy has not reached, oldest first. */
  private final Deque<Beat> ahead = new ArrayDeque<>();

  private long answeredAt;
  private long freshAt;

  /** @param now when it begins; as if all had been well then */
  Freshness(long now) {
    answeredAt = now;
    freshAt = now;
  }

  /** A heartbeat was answered. */
  void answered(long asked, long revision) {
    answeredAt = Math.max(answeredAt, asked);
    if (ahead.size() < BEATS_MAX) {
      ahead.add(new Beat(asked, revision));
    }
  }

  /** The copy has this revision. */
  void reached(long revision) {
    while (!ahead.isEmpty() && ahead.peek().revision <= revision) {
      freshAt = Math.max(freshAt, ahead.remove().asked);
    }
  }

  /** When the last heartbeat that was answered was sent. */
  long answeredAt() {
    return answeredAt;
  }

  boolean cutOff(long now) {
    return now - answeredAt > CUT_OFF_NANOS;
  }

  /** Whether the copy lacks what the cluster had five seconds ago. */
  boolean behind(long now) {
    return now - freshAt > CUT_OFF_NANOS;
  }
}
