package io.kvorum.raft.node;

/** Where the driver gets the time from. */
public interface TimeSource {
  /** Monotonic; only differences count. Elections, heartbeats and time limits go by it, so that a wrong wall clock does not matter. */
  long nanoTime();

  /** Milliseconds since the epoch; only written into entries, for restore by time. */
  long wallMillis();

  /** The machine's clocks. */
  TimeSource SYSTEM =
      new TimeSource() {
        @Override
        public long nanoTime() {
          return System.nanoTime();
        }

        @Override
        public long wallMillis() {
          return System.currentTimeMillis();
        }
      };
}
