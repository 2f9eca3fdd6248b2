package io.kvorum.mvcc.index;

import io.kvorum.mvcc.KeyValueCodec;
import java.util.Arrays;

/**
 * Some tens of keys with their revisions, packed; immutable.
 *
 * <p>Of each key the part that all keys of the leaf share ({@code prefix}) is stored once; the next eight bytes are in {@code heads}, which the search
 * compares as unsigned numbers; entry i of {@code data} holds varint(length behind the prefix), the bytes behind the head, and the packed revision list
 * (none when the key's revisions are spilled).
 */
final class Leaf extends Node {
  static final int MAX_KEYS = 64;
  static final int MAX_BYTES = 12 << 10;
  static final Leaf EMPTY = new Leaf(Bytes.EMPTY, new long[0], new Ends(new char[0], null), Bytes.EMPTY, null, 0, 0, true);

  private final byte[] prefix;
  private final long[] heads;
  /** Where each entry ends in data; one of the two is null. */
  private final char[] ends;

  private final int[] wideEnds;
  private final byte[] data;
  /** Null, or per entry the spilled revisions or null. */
  private final History[] spill;

  private final int live;
  private final boolean plain;
  private final long newest;

  /**
   * @param live how many keys' newest revision is a put
   * @param newest highest main revision
   * @param plain each key has exactly one revision, a put: nothing here can ever be compacted
   */
  Leaf(byte[] prefix, long[] heads, Ends ends, byte[] data, History[] spill, int live, long newest, boolean plain) {
    this.prefix = prefix;
    this.heads = heads;
    this.ends = ends.narrow;
    this.wideEnds = ends.wide;
    this.data = data;
    this.spill = spill;
    this.live = live;
    this.newest = newest;
    this.plain = plain;
  }

  /** Ends of entries, in two bytes each where the data is short enough. */
  record Ends(char[] narrow, int[] wide) {
    static Ends of(int[] ends) {
      if (ends.length == 0 || ends[ends.length - 1] > Character.MAX_VALUE) {
        return new Ends(null, ends);
      }
      char[] narrow = new char[ends.length];
      for (int i = 0; i < ends.length; i++) {
        narrow[i] = (char) ends[i];
      }
      return new Ends(narrow, null);
    }
  }

  int size() {
    return heads.length;
  }

  @Override
  long live() {
    return live;
  }

  @Override
  long newest() {
    return newest;
  }

  boolean plain() {
    return plain;
  }

  int bytes() {
    return data.length;
  }

  boolean oversized() {
    return heads.length > MAX_KEYS || heads.length > 1 && data.length > MAX_BYTES;
  }

  /** Position of a key, or -(position where it belongs) - 1. */
  int find(byte[] key) {
    int shared = prefix.length;
    int order = Arrays.compareUnsigned(key, 0, Math.min(key.length, shared), prefix, 0, shared);
    if (order != 0) {
      return order < 0 ? -1 : -heads.length - 1;
    }
    long head = Bytes.head(key, shared);
    int low = 0;
    int high = heads.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int c = Long.compareUnsigned(heads[middle], head);
      if (c == 0) {
        c = compareBehindHead(middle, key);
      }
      if (c == 0) {
        return middle;
      } else if (c < 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return -low - 1;
  }

  /** Number of keys below the given one. */
  int lowerBound(byte[] key) {
    int at = find(key);
    return at >= 0 ? at : -at - 1;
  }

  private int compareBehindHead(int i, byte[] key) {
    int length = suffixLength(i);
    int other = key.length - prefix.length;
    if (length <= Long.BYTES || other <= Long.BYTES) {
      return Integer.compare(length, other);
    }
    int tail = start(i) + KeyValueCodec.varintSize(length);
    return Arrays.compareUnsigned(data, tail, tail + length - Long.BYTES, key, prefix.length + Long.BYTES, key.length);
  }

  byte[] keyAt(int i) {
    int length = suffixLength(i);
    byte[] key = Arrays.copyOf(prefix, prefix.length + length);
    int head = Math.min(length, Long.BYTES);
    Bytes.writeHead(heads[i], key, prefix.length, head);
    System.arraycopy(data, start(i) + KeyValueCodec.varintSize(length), key, prefix.length + head, length - head);
    return key;
  }

  /** Puts a cursor before the newest revision of a key. */
  void revisions(int i, RevisionCursor into) {
    if (spill != null && spill[i] != null) {
      into.spilled(spill[i]);
    } else {
      into.packed(data, listStart(i), end(i));
    }
  }

  /** Whether the newest revision of a key is a put. */
  boolean liveNewest(int i) {
    if (live == heads.length) {
      return true;
    }
    if (spill != null && spill[i] != null) {
      History history = spill[i];
      return !history.tombstone(history.size() - 1);
    }
    return (data[listStart(i)] & RevisionCursor.TOMBSTONE) == 0;
  }

  /** A copy in which the key at a position has one newer revision. */
  Leaf withRevision(int i, long main, int sub, boolean tombstone) {
    int nextLive = live - (liveNewest(i) ? 1 : 0) + (tombstone ? 0 : 1);
    int listStart = listStart(i);
    if (spill != null && spill[i] != null) {
      History[] nextSpill = spill.clone();
      nextSpill[i] = spill[i].append(main, sub, tombstone);
      return new Leaf(prefix, heads, new Ends(ends, wideEnds), data, nextSpill, nextLive, main, false);
    }
    byte[] list = RevisionList.prepend(data, listStart, end(i), main, sub, tombstone);
    History[] nextSpill = spill;
    if (list.length > RevisionList.MAX_PACKED_BYTES) {
      RevisionCursor cursor = new RevisionCursor();
      cursor.packed(list, 0, list.length);
      nextSpill = spill == null ? new History[heads.length] : spill.clone();
      nextSpill[i] = History.of(cursor);
      list = Bytes.EMPTY;
    }
    byte[] nextData = splice(listStart, end(i), list);
    return new Leaf(prefix, heads, shifted(i, nextData.length - data.length), nextData, nextSpill, nextLive, main, false);
  }

  /** A copy with one more key, at the position where it belongs. */
  Leaf withKey(int i, byte[] key, long main, int sub, boolean tombstone) {
    byte[] list = RevisionList.single(main, sub, tombstone);
    int shared = prefix.length;
    if (heads.length == 0 || Arrays.mismatch(key, 0, Math.min(key.length, shared), prefix, 0, shared) >= 0) {
      LeafBuilder builder = new LeafBuilder();
      builder.addAll(this, 0, i);
      builder.add(key, list, 0, list.length, null);
      builder.addAll(this, i, heads.length);
      return builder.build();
    }
    int n = heads.length;
    int length = key.length - shared;
    int tail = Math.max(0, length - Long.BYTES);
    byte[] entry = new byte[KeyValueCodec.varintSize(length) + tail + list.length];
    int at = KeyValueCodec.writeVarint(entry, 0, length);
    System.arraycopy(key, key.length - tail, entry, at, tail);
    System.arraycopy(list, 0, entry, at + tail, list.length);
    long[] nextHeads = new long[n + 1];
    System.arraycopy(heads, 0, nextHeads, 0, i);
    nextHeads[i] = Bytes.head(key, shared);
    System.arraycopy(heads, i, nextHeads, i + 1, n - i);
    History[] nextSpill = null;
    if (spill != null) {
      nextSpill = new History[n + 1];
      System.arraycopy(spill, 0, nextSpill, 0, i);
      System.arraycopy(spill, i, nextSpill, i + 1, n - i);
    }
    int start = start(i);
    byte[] nextData = splice(start, start, entry);
    return new Leaf(
        prefix, nextHeads, inserted(i, start, entry.length), nextData, nextSpill, live + (tombstone ? 0 : 1), Math.max(newest, main), plain && !tombstone);
  }

  /** A copy without what a compaction makes dead: this object when there is nothing, null when no key is left. */
  Leaf compact(long floor, DropSink sink) {
    if (plain) {
      return this;
    }
    LeafBuilder builder = new LeafBuilder();
    RevisionCursor cursor = new RevisionCursor();
    boolean changed = false;
    for (int i = 0; i < heads.length; i++) {
      if (spill != null && spill[i] != null) {
        History after = spill[i].compact(floor, sink);
        changed |= after != spill[i];
        if (after.size() > 0) {
          builder.add(keyAt(i), after);
        }
        continue;
      }
      // Newest first, so what is kept is the beginning of the list.
      int start = listStart(i);
      cursor.packed(data, start, end(i));
      int kept = cursor.keptAbove(floor, sink);
      changed |= kept != end(i);
      if (kept > start) {
        builder.add(keyAt(i), data, start, kept, null);
      }
    }
    if (!changed) {
      return this;
    }
    return builder.size() == 0 ? null : builder.build();
  }

  History spilled(int i) {
    return spill == null ? null : spill[i];
  }

  byte[] data() {
    return data;
  }

  int listStart(int i) {
    int length = suffixLength(i);
    return start(i) + KeyValueCodec.varintSize(length) + Math.max(0, length - Long.BYTES);
  }

  int end(int i) {
    return ends != null ? ends[i] : wideEnds[i];
  }

  private int start(int i) {
    return i == 0 ? 0 : end(i - 1);
  }

  private int suffixLength(int i) {
    int at = start(i);
    byte next = data[at];
    if (next >= 0) {
      return next;
    }
    int length = next & 0x7f;
    for (int shift = 7; next < 0; shift += 7) {
      next = data[++at];
      length |= (next & 0x7f) << shift;
    }
    return length;
  }

  private byte[] splice(int from, int to, byte[] replacement) {
    byte[] out = new byte[data.length - (to - from) + replacement.length];
    System.arraycopy(data, 0, out, 0, from);
    System.arraycopy(replacement, 0, out, from, replacement.length);
    System.arraycopy(data, to, out, from + replacement.length, data.length - to);
    return out;
  }

  private Ends shifted(int i, int by) {
    if (by == 0) {
      return new Ends(ends, wideEnds);
    }
    if (ends != null && data.length + by <= Character.MAX_VALUE) {
      char[] next = ends.clone();
      for (int k = i; k < next.length; k++) {
        next[k] += (char) by;
      }
      return new Ends(next, null);
    }
    int[] next = new int[heads.length];
    for (int k = 0; k < next.length; k++) {
      next[k] = end(k) + (k >= i ? by : 0);
    }
    return Ends.of(next);
  }

  private Ends inserted(int i, int start, int length) {
    int n = heads.length;
    if (ends != null && data.length + length <= Character.MAX_VALUE) {
      char[] next = new char[n + 1];
      System.arraycopy(ends, 0, next, 0, i);
      next[i] = (char) (start + length);
      for (int k = i; k < n; k++) {
        next[k + 1] = (char) (ends[k] + length);
      }
      return new Ends(next, null);
    }
    int[] next = new int[n + 1];
    for (int k = 0; k <= n; k++) {
      next[k] = k < i ? end(k) : k == i ? start + length : end(k - 1) + length;
    }
    return Ends.of(next);
  }
}
