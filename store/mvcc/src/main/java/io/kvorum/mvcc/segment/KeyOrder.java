package io.kvorum.mvcc.segment;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * The positions of a segment's records sorted by key (unsigned bytes), then revision. Keys stay where they are, off-heap: 28 heap bytes a record while sorting. Keys of
 * one store mostly share a long prefix, so the eight bytes behind the common one decide nearly every comparison.
 */
final class KeyOrder {
  private static final int KEY_TAG = 1 << 3 | 2;
  private static final ValueLayout.OfLong BIG_ENDIAN = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private final MemorySegment bytes;
  private final int[] keyOffsets;
  private final int[] keyLengths;
  private final long[] heads;
  private final int[] order;

  KeyOrder(OffsetTable table, MemorySegment bytes) {
    int count = table.count();
    this.bytes = bytes;
    this.keyOffsets = new int[count];
    this.keyLengths = new int[count];
    this.heads = new long[count];
    this.order = new int[count];
    for (int i = 0; i < count; i++) {
      long start = table.offset(i);
      keyOffsets[i] = (int) findKey(i, start, start + table.length(i));
      order[i] = i;
    }
    int common = commonPrefix();
    for (int i = 0; i < count; i++) {
      heads[i] = head(i, common);
    }
    int[] scratch = order.clone();
    sort(scratch, order, 0, count);
  }

  /** Notes the key's length and gives its offset: it is the first field of every encoding, absent if it is empty. */
  private long findKey(int position, long start, long end) {
    if (start == end || bytes.get(ValueLayout.JAVA_BYTE, start) != KEY_TAG) {
      return start;
    }
    int length = 0;
    long at = start + 1;
    for (int shift = 0; at < end; shift += 7) {
      byte next = bytes.get(ValueLayout.JAVA_BYTE, at++);
      length |= (next & 0x7f) << shift;
      if (next >= 0) {
        break;
      }
    }
    if (length < 0 || length > end - at) {
      throw new IllegalArgumentException("the record at offset " + start + " is not an encoded pair");
    }
    keyLengths[position] = length;
    return at;
  }

  /** Position of the record that is at this place by key. */
  int position(int place) {
    return order[place];
  }

  int keyLength(int position) {
    return keyLengths[position];
  }

  void copyKey(int position, byte[] into) {
    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, keyOffset(position), into, 0, keyLengths[position]);
  }

  boolean sameKey(int left, int right) {
    return heads[left] == heads[right] && mismatch(left, right) < 0;
  }

  /** All keys in order. */
  KeyCursor keys() {
    return new KeyCursor() {
      private int from;
      private int to;

      @Override
      public boolean next() {
        from = to;
        if (from == order.length) {
          return false;
        }
        do {
          to++;
        } while (to < order.length && sameKey(order[from], order[to]));
        return true;
      }

      @Override
      public byte[] key() {
        byte[] key = new byte[keyLengths[order[from]]];
        copyKey(order[from], key);
        return key;
      }

      @Override
      public int positions() {
        return to - from;
      }

      @Override
      public int position(int index) {
        return order[from + index];
      }
    };
  }

  private long keyOffset(int position) {
    return Integer.toUnsignedLong(keyOffsets[position]);
  }

  private int commonPrefix() {
    int common = keyLengths.length == 0 ? 0 : keyLengths[0];
    for (int i = 1; i < keyLengths.length && common > 0; i++) {
      long from = keyOffset(i);
      long first = keyOffset(0);
      int limit = Math.min(common, keyLengths[i]);
      long differs = MemorySegment.mismatch(bytes, first, first + limit, bytes, from, from + limit);
      common = differs < 0 ? limit : (int) differs;
    }
    return common;
  }

  private long head(int position, int skip) {
    int left = keyLengths[position] - skip;
    long from = keyOffset(position) + skip;
    if (left >= Long.BYTES) {
      return bytes.get(BIG_ENDIAN, from);
    }
    long head = 0;
    for (int i = 0; i < left; i++) {
      head |= (bytes.get(ValueLayout.JAVA_BYTE, from + i) & 0xffL) << (56 - 8 * i);
    }
    return head;
  }

  private long mismatch(int left, int right) {
    long a = keyOffset(left);
    long b = keyOffset(right);
    return MemorySegment.mismatch(bytes, a, a + keyLengths[left], bytes, b, b + keyLengths[right]);
  }

  private int compare(int left, int right) {
    int byHead = Long.compareUnsigned(heads[left], heads[right]);
    if (byHead != 0) {
      return byHead;
    }
    long differs = mismatch(left, right);
    if (differs < 0) {
      return Integer.compare(left, right);
    }
    if (differs >= keyLengths[left] || differs >= keyLengths[right]) {
      return Integer.compare(keyLengths[left], keyLengths[right]);
    }
    int a = bytes.get(ValueLayout.JAVA_BYTE, keyOffset(left) + differs) & 0xff;
    int b = bytes.get(ValueLayout.JAVA_BYTE, keyOffset(right) + differs) & 0xff;
    return Integer.compare(a, b);
  }

  /** Merge sort of {@code [from, to)}; both arrays hold the same content before, the target is sorted after. */
  private void sort(int[] source, int[] target, int from, int to) {
    if (to - from < 2) {
      return;
    }
    int middle = (from + to) >>> 1;
    sort(target, source, from, middle);
    sort(target, source, middle, to);
    if (compare(source[middle - 1], source[middle]) <= 0) {
      System.arraycopy(source, from, target, from, to - from);
      return;
    }
    for (int at = from, left = from, right = middle; at < to; at++) {
      boolean takeLeft = right >= to || left < middle && compare(source[left], source[right]) <= 0;
      target[at] = takeLeft ? source[left++] : source[right++];
    }
  }
}
