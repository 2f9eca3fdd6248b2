package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * The newest entries of the log, kept in memory until they are durable and, within a bound, until they are applied: a growing ring that
 * begins at {@link #offset()}. What is not durable is bounded by the leader's limit on uncommitted bytes and, on a follower, by the
 * leader's window.
 */
final class EntryTail {
  private static final int SMALLEST = 64;
  private Entry[] ring = new Entry[SMALLEST];
  private int head;
  private int size;
  private long offset;
  private long bytes;

  EntryTail(long offset) {
    this.offset = offset;
  }

  /** Index of the first entry held, or of the next one to come when none is. */
  long offset() {
    return offset;
  }

  long lastIndex() {
    return offset + size - 1;
  }

  Entry get(long index) {
    return ring[at((int) (index - offset))];
  }

  void add(Entry entry) {
    if (entry.index() != offset + size) {
      throw new IllegalStateException("entry " + entry.index() + " does not follow " + lastIndex());
    }
    if (size == ring.length) {
      grow();
    }
    ring[at(size++)] = entry;
    bytes += entry.sizeBytes();
  }

  /** Forgets everything from {@code index} on; when that lies before the tail it begins there anew. */
  void cutFrom(long index) {
    if (index <= offset) {
      clear(index);
      return;
    }
    while (lastIndex() >= index) {
      int at = at(--size);
      bytes -= ring[at].sizeBytes();
      ring[at] = null;
    }
  }

  /**
   * Forgets what the stored log can answer for.
   *
   * @param durable everything up to here may be forgotten
   * @param used everything up to here is not needed soon; what follows is kept within {@code keepBytes}
   */
  void dropTo(long durable, long used, long keepBytes) {
    while (size > 0 && offset <= durable && (offset <= used || bytes > keepBytes)) {
      bytes -= ring[head].sizeBytes();
      ring[head] = null;
      head = (head + 1) & (ring.length - 1);
      offset++;
      size--;
    }
    if (size == 0 && ring.length > 4096) {
      ring = new Entry[SMALLEST];
      head = 0;
    }
  }

  void clear(long newOffset) {
    Arrays.fill(ring, null);
    head = 0;
    size = 0;
    bytes = 0;
    offset = newOffset;
  }

  /** Entries {@code [from, to)}, cut at {@code maxBytes}, at least one; unaffected by later changes. */
  List<Entry> slice(long from, long to, long maxBytes) {
    long taken = 0;
    int count = 0;
    int first = (int) (from - offset);
    int limit = (int) (to - from);
    while (count < limit) {
      taken += ring[at(first + count)].sizeBytes();
      if (taken > maxBytes && count > 0) {
        break;
      }
      count++;
    }
    Entry[] copy = new Entry[count];
    int start = at(first);
    int straight = Math.min(count, ring.length - start);
    System.arraycopy(ring, start, copy, 0, straight);
    System.arraycopy(ring, 0, copy, straight, count - straight);
    return Collections.unmodifiableList(Arrays.asList(copy));
  }

  private int at(int position) {
    return (head + position) & (ring.length - 1);
  }

  private void grow() {
    Entry[] larger = new Entry[ring.length * 2];
    for (int i = 0; i < size; i++) {
      larger[i] = ring[at(i)];
    }
    ring = larger;
    head = 0;
  }
}
