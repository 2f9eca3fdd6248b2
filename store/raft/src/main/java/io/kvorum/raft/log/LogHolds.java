package io.kvorum.raft.log;

import java.util.HashSet;
import java.util.Set;

/**
 * Who still wants entries that a checkpoint covers. What is held is kept within {@link LogOptions#heldFiles}, and not while the disk is full: a hold is a wish, and its reader has to expect
 * that an entry is gone. What was cut before stays away. Any thread.
 */
public final class LogHolds {
  private final Set<Hold> holds = new HashSet<>();

  /** One of them, until closed. */
  public final class Hold implements AutoCloseable {
    private long from;

    private Hold(long from) {
      this.from = from;
    }

    /** Entries before this index are not wanted any more. */
    public void moveTo(long index) {
      synchronized (holds) {
        from = index;
      }
    }

    @Override
    public void close() {
      synchronized (holds) {
        holds.remove(this);
      }
    }
  }

  /** Begins to keep entries from this index on. */
  public Hold hold(long from) {
    Hold hold = new Hold(from);
    synchronized (holds) {
      holds.add(hold);
    }
    return hold;
  }

  /** The lowest index that somebody wants kept, {@link Long#MAX_VALUE} for none. */
  long lowest() {
    synchronized (holds) {
      return holds.stream().mapToLong(hold -> hold.from).min().orElse(Long.MAX_VALUE);
    }
  }
}
