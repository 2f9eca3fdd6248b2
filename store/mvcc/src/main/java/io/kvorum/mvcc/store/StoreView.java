package io.kvorum.mvcc.store;

import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.index.IndexView;
import io.kvorum.mvcc.index.RevisionCursor;
import java.util.concurrent.atomic.AtomicInteger;

/** One published state, shared by all who read it and counted by reference: the last to leave lets the log's view go. */
final class StoreView {
  private final IndexView index;
  private final RevisionLog.View log;
  private final long revision;
  private final long floor;

  /** Holders, the store itself included while this is the newest; 0 is final. */
  private final AtomicInteger holders = new AtomicInteger(1);

  StoreView(IndexView index, RevisionLog.View log, long revision, long floor) {
    this.index = index;
    this.log = log;
    this.revision = revision;
    this.floor = floor;
  }

  IndexView index() {
    return index;
  }

  RevisionLog.View log() {
    return log;
  }

  long revision() {
    return revision;
  }

  long floor() {
    return floor;
  }

  /** Takes a hold; false when the view is gone already. */
  boolean acquire() {
    int now = holders.get();
    while (now > 0) {
      int witness = holders.compareAndExchange(now, now + 1);
      if (witness == now) {
        return true;
      }
      now = witness;
    }
    return false;
  }

  void release() {
    int left = holders.decrementAndGet();
    if (left == 0) {
      log.close();
    } else if (left < 0) {
      throw new IllegalStateException("a view was released more often than it was taken");
    }
  }

  /**
   * Whether a stored revision logically survives compaction at the floor: it is above the floor, or the key's newest at or below it and either a put or a
   * tombstone exactly there.
   */
  static boolean survives(IndexView index, long floor, byte[] key, long main, long sub) {
    if (main > floor) {
      return true;
    }
    RevisionCursor at = new RevisionCursor();
    return index.find(key, floor, at) && at.main() == main && at.sub() == sub && (!at.tombstone() || main == floor);
  }
}
