package io.kvorum.server.watch;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/** When each stream's next round of progress notifications is due: every interval, lengthened by up to a tenth at random so that streams do not march in step. */
final class ProgressTimer {
  static final long MIN_INTERVAL_NANOS = 100_000_000L;
  static final long NEVER = Long.MAX_VALUE;

  private final PriorityQueue<WatchStream> due = new PriorityQueue<>(Comparator.comparingLong((WatchStream s) -> s.progressDue));
  private final long intervalNanos;
  private final RandomGenerator random;

  /** @param intervalNanos raised to 100 ms */
  ProgressTimer(long intervalNanos, RandomGenerator random) {
    this.intervalNanos = Math.max(MIN_INTERVAL_NANOS, intervalNanos);
    this.random = random;
  }

  void start(WatchStream stream, long now) {
    if (!stream.progressTimed) {
      stream.progressTimed = true;
      schedule(stream, now);
    }
  }

  void stop(WatchStream stream) {
    if (stream.progressTimed) {
      stream.progressTimed = false;
      due.remove(stream);
    }
  }

  /** Runs what is due; returns the nanoseconds until the next, {@link #NEVER} when there is none. */
  long run(long now, Consumer<WatchStream> round) {
    while (!due.isEmpty() && due.peek().progressDue - now <= 0) {
      WatchStream stream = due.remove();
      round.accept(stream);
      if (stream.progressTimed) {
        schedule(stream, now);
      }
    }
    return due.isEmpty() ? NEVER : due.peek().progressDue - now;
  }

  private void schedule(WatchStream stream, long now) {
    stream.progressDue = now + intervalNanos + random.nextLong(intervalNanos / 10 + 1);
    due.add(stream);
  }
}
