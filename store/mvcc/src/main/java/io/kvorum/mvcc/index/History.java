package io.kvorum.mvcc.index;

import java.util.Arrays;

/**
 * The revisions of one often written key, oldest first. Immutable to its holders: appending shares the arrays and writes behind the end that older
 * holders know, which is safe because only the newest one is ever appended to, by the one writer, and readers get theirs through a published root.
 */
final class History {
  private static final int FIRST_CAPACITY = 16;

  private final long[] mains;
  /** sub-revision shifted by 1, tombstone in bit 0. */
  private final int[] marks;

  private final int size;

  private History(long[] mains, int[] marks, int size) {
    this.mains = mains;
    this.marks = marks;
    this.size = size;
  }

  static History empty() {
    return new History(new long[FIRST_CAPACITY], new int[FIRST_CAPACITY], 0);
  }

  /** Reads all that is left of a cursor. */
  static History of(RevisionCursor cursor) {
    History newestFirst = empty();
    while (cursor.next()) {
      newestFirst = newestFirst.append(cursor.main(), cursor.sub(), cursor.tombstone());
    }
    History oldestFirst = empty();
    for (int i = newestFirst.size - 1; i >= 0; i--) {
      oldestFirst = oldestFirst.append(newestFirst.mains[i], newestFirst.sub(i), newestFirst.tombstone(i));
    }
    return oldestFirst;
  }

  History append(long main, int sub, boolean tombstone) {
    long[] nextMains = mains;
    int[] nextMarks = marks;
    if (size == mains.length) {
      nextMains = Arrays.copyOf(mains, size * 2);
      nextMarks = Arrays.copyOf(marks, size * 2);
    }
    nextMains[size] = main;
    nextMarks[size] = sub << 1 | (tombstone ? 1 : 0);
    return new History(nextMains, nextMarks, size + 1);
  }

  /** Without the revisions that a compaction at {@code floor} makes dead, which go to the sink; this object when there are none. */
  History compact(long floor, DropSink sink) {
    int below = countAtMost(floor);
    if (below == 0) {
      return this;
    }
    boolean keepNewest = !tombstone(below - 1) || mains[below - 1] == floor;
    int dropped = keepNewest ? below - 1 : below;
    if (dropped == 0) {
      return this;
    }
    for (int i = 0; i < dropped; i++) {
      sink.dropped(mains[i], sub(i));
    }
    int left = size - dropped;
    int capacity = Math.max(FIRST_CAPACITY, left + (left >> 1));
    long[] nextMains = new long[capacity];
    int[] nextMarks = new int[capacity];
    System.arraycopy(mains, dropped, nextMains, 0, left);
    System.arraycopy(marks, dropped, nextMarks, 0, left);
    return new History(nextMains, nextMarks, left);
  }

  int size() {
    return size;
  }

  long main(int i) {
    return mains[i];
  }

  int sub(int i) {
    return marks[i] >>> 1;
  }

  boolean tombstone(int i) {
    return (marks[i] & 1) != 0;
  }

  /** How many of the oldest revisions are at or below a main revision. */
  int countAtMost(long limit) {
    int low = 0;
    int high = size;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (mains[middle] <= limit) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
