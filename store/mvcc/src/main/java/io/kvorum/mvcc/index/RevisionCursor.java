package io.kvorum.mvcc.index;

/**
 * Walks the revisions of one key from the newest to the oldest, and holds the one it stands at. Reusable; used by one thread. A packed list is, newest
 * first: varint(main or distance to the next newer main, shifted by 2 | tombstone 2 | has-sub 1), then varint(sub) if it has one.
 */
public final class RevisionCursor {
  static final int HAS_SUB = 1;
  static final int TOMBSTONE = 2;

  private byte[] data;
  private int at;
  private int end;
  private History history;
  private int slot;
  private boolean first;
  private long main;
  private int sub;
  private boolean tombstone;

  /** Stands before the newest revision of a packed list. */
  void packed(byte[] list, int from, int to) {
    data = list;
    at = from;
    end = to;
    history = null;
    first = true;
  }

  void spilled(History revisions) {
    history = revisions;
    slot = revisions.size();
  }

  /** Moves to the next older revision; false when there is none. */
  public boolean next() {
    if (history != null) {
      if (slot == 0) {
        return false;
      }
      slot--;
      main = history.main(slot);
      sub = history.sub(slot);
      tombstone = history.tombstone(slot);
      return true;
    }
    if (at >= end) {
      return false;
    }
    long word = varint();
    main = first ? word >>> 2 : main - (word >>> 2);
    first = false;
    tombstone = (word & TOMBSTONE) != 0;
    sub = (word & HAS_SUB) != 0 ? (int) varint() : 0;
    return true;
  }

  /** Moves to the newest revision at or below a main revision; only forward. False when there is none. */
  public boolean atMost(long limit) {
    if (history != null) {
      slot = Math.min(slot, history.countAtMost(limit));
      return next();
    }
    while (next()) {
      if (main <= limit) {
        return true;
      }
    }
    return false;
  }

  /**
   * Reads a packed list to its end, telling what a compaction drops.
   *
   * @return where the kept revisions end
   */
  int keptAbove(long floor, DropSink sink) {
    int kept = at;
    while (next()) {
      if (main > floor) {
        kept = at;
        continue;
      }
      if (!tombstone || main == floor) {
        kept = at;
      } else {
        sink.dropped(main, sub);
      }
      while (next()) {
        sink.dropped(main, sub);
      }
    }
    return kept;
  }

  public long main() {
    return main;
  }

  public int sub() {
    return sub;
  }

  public boolean tombstone() {
    return tombstone;
  }

  /** Position behind the revision just read, in a packed list. */
  int position() {
    return at;
  }

  private long varint() {
    byte next = data[at++];
    long value = next & 0x7f;
    for (int shift = 7; next < 0; shift += 7) {
      next = data[at++];
      value |= (long) (next & 0x7f) << shift;
    }
    return value;
  }
}
