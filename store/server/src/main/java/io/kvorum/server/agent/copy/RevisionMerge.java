package io.kvorum.server.agent.copy;

import io.kvorum.mvcc.Change;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Puts the events of the watches of one stream together into whole revisions. Pure.
 *
 * <p>A revision is complete once every watch is known to have passed it: by its own events, which come whole revisions at a time, or by a progress response. With one watch
 * that is so at once. What is complete leaves in revision order, with sub-revisions counted anew: within one watch they keep their order.
 */
final class RevisionMerge {
  private final long[] passed;
  private final List<Deque<Change>> waiting = new ArrayList<>();
  private long waitingBytes;

  /**
   * @param watches how many
   * @param from revision up to which everything is there
   */
  RevisionMerge(int watches, long from) {
    passed = new long[watches];
    for (int i = 0; i < watches; i++) {
      passed[i] = from;
      waiting.add(new ArrayDeque<>());
    }
  }

  /**
   * Events of one watch, whole revisions.
   *
   * @throws IllegalArgumentException when one is not behind what this watch has passed
   */
  void events(int watch, List<Change> changes) {
    long last = passed[watch];
    for (Change change : changes) {
      if (change.main() <= passed[watch] || change.main() < last) {
        throw new IllegalArgumentException("an event of revision " + change.main() + " after " + last);
      }
      last = change.main();
      waiting.get(watch).add(change);
      waitingBytes += change.encoded().length;
    }
    passed[watch] = last;
  }

  /** No event up to a revision is missing in one watch. */
  void progress(int watch, long revision) {
    passed[watch] = Math.max(passed[watch], revision);
  }

  /** Nor in any. */
  void progress(long revision) {
    for (int watch = 0; watch < passed.length; watch++) {
      progress(watch, revision);
    }
  }

  /** Newest revision that is complete. */
  long complete() {
    long least = Long.MAX_VALUE;
    for (long revision : passed) {
      least = Math.min(least, revision);
    }
    return least;
  }

  /** Whether something waits for another watch to pass. */
  boolean incomplete() {
    return waitingBytes > 0;
  }

  /** Encoded bytes of what waits. */
  long waitingBytes() {
    return waitingBytes;
  }

  /** Takes the changes of all complete revisions. */
  List<Change> take() {
    long upTo = complete();
    List<Change> taken = new ArrayList<>();
    long main = 0;
    int sub = 0;
    for (Deque<Change> next = lowest(upTo); next != null; next = lowest(upTo)) {
      Change change = next.remove();
      waitingBytes -= change.encoded().length;
      sub = change.main() == main ? sub + 1 : 0;
      main = change.main();
      taken.add(Changes.at(change, sub));
    }
    return taken;
  }

  /** The queue with the lowest revision up to a bound, the first of several; null when there is none. */
  private Deque<Change> lowest(long upTo) {
    Deque<Change> best = null;
    for (Deque<Change> queue : waiting) {
      Change head = queue.peek();
      if (head != null && head.main() <= upTo && (best == null || head.main() < best.peek().main())) {
        best = queue;
      }
    }
    return best;
  }
}
