package io.kvorum.mvcc.index;

import io.kvorum.mvcc.KeyValueCodec;
import java.util.Arrays;

/** Collects keys in order with their revision lists and packs them into a leaf. Reusable. */
final class LeafBuilder {
  private byte[][] keys = new byte[Leaf.MAX_KEYS + 1][];
  private History[] spill = new History[Leaf.MAX_KEYS + 1];
  private int[] listEnds = new int[Leaf.MAX_KEYS + 1];
  private byte[] lists = new byte[1024];
  private int size;
  private int keyBytes;
  private final RevisionCursor cursor = new RevisionCursor();

  int size() {
    return size;
  }

  /** Bytes that the leaf takes at most. */
  int bytes() {
    return keyBytes + listsLength();
  }

  /**
   * Adds a key above all earlier ones.
   *
   * @param list array that holds the packed list from {@code from} to {@code to}; empty when spilled
   * @param spilled revisions outside the leaf, or null
   */
  void add(byte[] key, byte[] list, int from, int to, History spilled) {
    if (size == keys.length) {
      keys = Arrays.copyOf(keys, size * 2);
      spill = Arrays.copyOf(spill, size * 2);
      listEnds = Arrays.copyOf(listEnds, size * 2);
    }
    int at = listsLength();
    int length = to - from;
    if (at + length > lists.length) {
      lists = Arrays.copyOf(lists, Math.max(lists.length * 2, at + length));
    }
    System.arraycopy(list, from, lists, at, length);
    keys[size] = key;
    spill[size] = spilled;
    listEnds[size] = at + length;
    keyBytes += key.length;
    size++;
  }

  /** Adds a key with its revisions, packed if they are few. */
  void add(byte[] key, History revisions) {
    byte[] list = revisions.size() > RevisionList.MAX_PACKED_BYTES ? null : RevisionList.pack(revisions);
    if (list == null || list.length > RevisionList.MAX_PACKED_BYTES) {
      add(key, Bytes.EMPTY, 0, 0, revisions);
    } else {
      add(key, list, 0, list.length, null);
    }
  }

  void addFrom(Leaf leaf, int i) {
    add(leaf.keyAt(i), leaf.data(), leaf.listStart(i), leaf.end(i), leaf.spilled(i));
  }

  void addAll(Leaf leaf, int from, int to) {
    for (int i = from; i < to; i++) {
      addFrom(leaf, i);
    }
  }

  /** Packs what was added and starts anew. At least one key. */
  Leaf build() {
    int shared = size == 1 ? keys[0].length : Bytes.commonPrefix(keys[0], keys[size - 1]);
    byte[] prefix = Arrays.copyOf(keys[0], shared);
    long[] heads = new long[size];
    int[] ends = new int[size];
    int total = 0;
    int listStart = 0;
    boolean spills = false;
    for (int i = 0; i < size; i++) {
      int length = keys[i].length - shared;
      heads[i] = Bytes.head(keys[i], shared);
      total += KeyValueCodec.varintSize(length) + Math.max(0, length - Long.BYTES) + listEnds[i] - listStart;
      listStart = listEnds[i];
      ends[i] = total;
      spills |= spill[i] != null;
    }
    byte[] data = new byte[total];
    int live = 0;
    long newest = 0;
    boolean plain = true;
    int at = 0;
    listStart = 0;
    for (int i = 0; i < size; i++) {
      int length = keys[i].length - shared;
      int tail = Math.max(0, length - Long.BYTES);
      at = KeyValueCodec.writeVarint(data, at, length);
      System.arraycopy(keys[i], keys[i].length - tail, data, at, tail);
      at += tail;
      System.arraycopy(lists, listStart, data, at, listEnds[i] - listStart);
      place(i, data, at, ends[i]);
      cursor.next();
      live += cursor.tombstone() ? 0 : 1;
      newest = Math.max(newest, cursor.main());
      plain &= !cursor.tombstone() && !cursor.next();
      at = ends[i];
      listStart = listEnds[i];
    }
    Leaf leaf = new Leaf(prefix, heads, Leaf.Ends.of(ends), data, spills ? Arrays.copyOf(spill, size) : null, live, newest, plain);
    clear();
    return leaf;
  }

  private void place(int i, byte[] data, int from, int to) {
    if (spill[i] != null) {
      cursor.spilled(spill[i]);
    } else {
      cursor.packed(data, from, to);
    }
  }

  private int listsLength() {
    return size == 0 ? 0 : listEnds[size - 1];
  }

  private void clear() {
    Arrays.fill(keys, 0, size, null);
    Arrays.fill(spill, 0, size, null);
    size = 0;
    keyBytes = 0;
  }
}
