package io.kvorum.server.agent.copy;

import java.util.random.RandomGenerator;

/** Another attempt in a while: one at a time, {@value #PAUSE_MILLIS_MIN} ms after the first failure, up to {@value #PAUSE_MILLIS_MAX} after many, less up to a half at random. */
final class Attempts {
  private static final long PAUSE_MILLIS_MIN = 50;
  private static final long PAUSE_MILLIS_MAX = 2_000;
  private static final long LOCAL_FAILURE_MILLIS = 5_000;
  private static final int DOUBLINGS_MAX = 10;

  private final CopyLoop loop;
  private final RandomGenerator random;
  private final Runnable attempt;
  private boolean due;
  private int failures;

  Attempts(CopyLoop loop, RandomGenerator random, Runnable attempt) {
    this.loop = loop;
    this.random = random;
    this.attempt = attempt;
  }

  void succeeded() {
    failures = 0;
  }

  void soon() {
    in(0);
  }

  /** After a failure here, of the disk for example, that trying at once would meet again. */
  void muchLater() {
    in(LOCAL_FAILURE_MILLIS);
  }

  /** After a failure elsewhere. */
  void later() {
    long most = Math.min(PAUSE_MILLIS_MAX, PAUSE_MILLIS_MIN << Math.min(failures, DOUBLINGS_MAX));
    failures++;
    in(most / 2 + random.nextLong(most / 2 + 1));
  }

  private void in(long millis) {
    if (!due) {
      due = true;
      loop.after(
          millis,
          () -> {
            due = false;
            attempt.run();
          });
    }
  }
}
