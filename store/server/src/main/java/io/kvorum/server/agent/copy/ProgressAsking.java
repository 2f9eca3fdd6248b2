package io.kvorum.server.agent.copy;

/**
 * When to ask for progress: at once when it is wanted, one question at a time. One that is not answered (a watch is behind) is asked again after
 * {@value #SILENCE_MILLIS} ms; one whose answer was not enough (the member lags) after {@value #PAUSE_MILLIS_MIN} ms, then twice as long each time up to the same bound. Pure.
 */
final class ProgressAsking {
  static final long PAUSE_MILLIS_MIN = 2;
  static final long SILENCE_MILLIS = 200;

  private boolean busy;
  private long pauseMillis = PAUSE_MILLIS_MIN;
  private long turn;

  /** @return whether to send a question now */
  boolean begin() {
    if (busy) {
      return false;
    }
    busy = true;
    turn++;
    return true;
  }

  /** Which question or pause it is, for {@link #over}. */
  long turn() {
    return turn;
  }

  /** A question was answered, and that is enough. */
  void satisfied() {
    busy = false;
    pauseMillis = PAUSE_MILLIS_MIN;
  }

  /**
   * A question was answered, and more is wanted: nothing is asked until this turn is {@link #over}.
   *
   * @return milliseconds until then
   */
  long pause() {
    long pause = pauseMillis;
    pauseMillis = Math.min(SILENCE_MILLIS, pauseMillis * 2);
    busy = true;
    turn++;
    return pause;
  }

  /**
   * A pause is over, or a question was not answered in time.
   *
   * @return whether that was the present turn: then the next question may go out
   */
  boolean over(long ofTurn) {
    if (ofTurn != turn) {
      return false;
    }
    busy = false;
    return true;
  }
}
