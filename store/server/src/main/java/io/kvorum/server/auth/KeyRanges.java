package io.kvorum.server.auth;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/** A set of keys as sorted, disjoint, merged intervals, so that a range is covered exactly when one interval covers it. Immutable. */
final class KeyRanges {
  private final byte[][] starts;

  /** Exclusive; null is the end of all keys. */
  private final byte[][] ends;

  private KeyRanges(List<Range> merged) {
    this.starts = new byte[merged.size()][];
    this.ends = new byte[merged.size()][];
    for (int i = 0; i < starts.length; i++) {
      starts[i] = merged.get(i).start;
      ends[i] = merged.get(i).end;
    }
  }

  /**
   * Keys from start to end.
   *
   * @param end exclusive; null is the end of all keys
   */
  record Range(byte[] start, byte[] end) {
    /** As requests and permissions write it: no end is the single key, one zero byte everything from the key on. */
    static Range of(byte[] key, byte[] rangeEnd) {
      if (rangeEnd.length == 0) {
        return new Range(key, Arrays.copyOf(key, key.length + 1));
      }
      return new Range(key, rangeEnd.length == 1 && rangeEnd[0] == 0 ? null : rangeEnd);
    }
  }

  /** The union. */
  static KeyRanges union(List<Range> ranges) {
    List<Range> sorted = new ArrayList<>(ranges);
    sorted.sort(Comparator.comparing(Range::start, Arrays::compareUnsigned));
    List<Range> merged = new ArrayList<>();
    for (Range range : sorted) {
      Range last = merged.isEmpty() ? null : merged.getLast();
      if (last == null || last.end != null && Arrays.compareUnsigned(range.start, last.end) > 0) {
        merged.add(range);
      } else if (last.end != null && (range.end == null || Arrays.compareUnsigned(range.end, last.end) > 0)) {
        merged.set(merged.size() - 1, new Range(last.start, range.end));
      }
    }
    return new KeyRanges(merged);
  }

  int size() {
    return starts.length;
  }

  boolean contains(byte[] key) {
    int i = floor(key);
    return i >= 0 && (ends[i] == null || Arrays.compareUnsigned(key, ends[i]) < 0);
  }

  /** Whether every key of a range is in the set; an empty range is where its start is. */
  boolean covers(Range range) {
    int i = floor(range.start);
    if (i < 0 || ends[i] == null) {
      return i >= 0;
    }
    return Arrays.compareUnsigned(range.start, ends[i]) < 0 && range.end != null && Arrays.compareUnsigned(range.end, ends[i]) <= 0;
  }

  /** The last interval that starts at or before the key, -1 for none. */
  private int floor(byte[] key) {
    int found = Arrays.binarySearch(starts, key, Arrays::compareUnsigned);
    return found >= 0 ? found : -found - 2;
  }
}
