package io.kvorum.raft.core;

import io.kvorum.raft.node.RaftStatus;

/**
 * What a leader knows of one follower, and how much it may send it.
 *
 * <ol>
 *   <li>PROBE: where the logs part is not known; one message, then wait for its answer or for the next heartbeat's.
 *   <li>REPLICATE: messages follow each other without waiting, bounded in number and bytes; {@code next} runs ahead of {@code match}.
 *   <li>SNAPSHOT: the follower needs entries that were cut; nothing is sent until the transfer is reported or the follower turns out to
 *       have caught up.
 * </ol>
 */
final class Progress {
  enum State {
    PROBE,
    REPLICATE,
    SNAPSHOT
  }

  final long id;
  private final Window window;
  private State state = State.PROBE;
  private long match;
  private long next;
  private long pendingSnapshot;
  private boolean probeSent;
  private RaftStatus.FollowerProgress picture;
  boolean recentlyActive;
  /** Highest commit index that was sent along. */
  long sentCommit;
  /** Newest read round that the follower confirmed. */
  long confirmedRound;
  /** The follower seems to miss something though nothing new is to be sent: say where we are. */
  boolean poke;

  Progress(long id, long next, int maxMessages, long maxBytes) {
    this.id = id;
    this.next = next;
    this.window = new Window(maxMessages, maxBytes);
  }

  State state() {
    return state;
  }

  long match() {
    return match;
  }

  long next() {
    return next;
  }

  /** Nothing may be sent now. */
  boolean isPaused() {
    return switch (state) {
      case PROBE -> probeSent;
      case REPLICATE -> window.isFull();
      case SNAPSHOT -> true;
    };
  }

  void sent(long lastIndex, int entries, long bytes) {
    switch (state) {
      case PROBE -> probeSent = true;
      case REPLICATE -> {
        if (entries > 0) {
          next = lastIndex + 1;
          window.add(lastIndex, bytes);
        }
      }
      case SNAPSHOT -> throw new IllegalStateException("append sent during a snapshot");
    }
    poke = false;
  }

  /** The follower's log matches up to {@code index}; returns whether that is news. */
  boolean matched(long index, long firstIndex) {
    boolean news = index > match;
    if (news) {
      match = index;
      next = Math.max(next, index + 1);
      probeSent = false;
      picture = null;
    }
    switch (state) {
      case PROBE -> {
        if (index >= match) {
          toReplicate();
        }
      }
      case REPLICATE -> window.freeTo(index);
      case SNAPSHOT -> {
        if (match + 1 >= firstIndex) {
          toReplicate();
        }
      }
    }
    return news;
  }

  /**
   * The follower refused the entries after {@code rejected}.
   *
   * @param hint highest index that may match
   * @return false when the refusal is an old one
   */
  boolean rejected(long rejected, long hint) {
    if (state == State.REPLICATE) {
      if (rejected <= match) {
        return false;
      }
      toProbe(match + 1);
      next = Math.max(Math.min(rejected, hint + 1), match + 1);
      return true;
    }
    if (state == State.SNAPSHOT || next - 1 != rejected) {
      return false;
    }
    next = Math.max(Math.min(rejected, hint + 1), match + 1);
    probeSent = false;
    return true;
  }

  void heartbeatAnswered(long lastIndex) {
    probeSent = false;
    poke = match < lastIndex;
  }

  void unreachable() {
    if (state == State.REPLICATE) {
      toProbe(match + 1);
    }
  }

  void toSnapshot(long index) {
    state = State.SNAPSHOT;
    pendingSnapshot = index;
    window.clear();
    picture = null;
  }

  /** The transfer ended; what comes next waits for the follower's answer or the next heartbeat. */
  void snapshotEnded(boolean installed) {
    if (state == State.SNAPSHOT) {
      toProbe(installed ? Math.max(match, pendingSnapshot) + 1 : match + 1);
      probeSent = true;
    }
  }

  RaftStatus.FollowerProgress picture() {
    if (picture == null || picture.recentlyActive() != recentlyActive) {
      picture = new RaftStatus.FollowerProgress(match, recentlyActive, state == State.SNAPSHOT);
    }
    return picture;
  }

  private void toReplicate() {
    state = State.REPLICATE;
    probeSent = false;
    pendingSnapshot = 0;
    window.clear();
    next = match + 1;
    picture = null;
  }

  private void toProbe(long nextIndex) {
    state = State.PROBE;
    probeSent = false;
    pendingSnapshot = 0;
    window.clear();
    next = nextIndex;
    picture = null;
  }

  /** Messages on the way: a ring of (last index, bytes). */
  private static final class Window {
    private final long maxBytes;
    private final int maxMessages;
    private long[] last = new long[8];
    private long[] bytes = new long[8];
    private int head;
    private int size;
    private long total;

    Window(int maxMessages, long maxBytes) {
      this.maxMessages = maxMessages;
      this.maxBytes = maxBytes;
    }

    boolean isFull() {
      return size >= maxMessages || total >= maxBytes;
    }

    void add(long lastIndex, long messageBytes) {
      if (size == last.length) {
        grow();
      }
      int at = (head + size++) & (last.length - 1);
      last[at] = lastIndex;
      bytes[at] = messageBytes;
      total += messageBytes;
    }

    void freeTo(long index) {
      while (size > 0 && last[head] <= index) {
        total -= bytes[head];
        head = (head + 1) & (last.length - 1);
        size--;
      }
    }

    void clear() {
      head = 0;
      size = 0;
      total = 0;
    }

    private void grow() {
      long[] largerLast = new long[last.length * 2];
      long[] largerBytes = new long[last.length * 2];
      for (int i = 0; i < size; i++) {
        largerLast[i] = last[(head + i) & (last.length - 1)];
        largerBytes[i] = bytes[(head + i) & (last.length - 1)];
      }
      last = largerLast;
      bytes = largerBytes;
      head = 0;
    }
  }
}
