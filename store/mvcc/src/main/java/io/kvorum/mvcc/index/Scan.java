package io.kvorum.mvcc.index;

/** Walks the keys of a range in order. Used by one thread. */
public final class Scan {
  private final byte[] to;
  private final Inner[] path;
  private final int[] slots;
  private final int height;
  private Leaf leaf;
  private int position;
  private int end;

  Scan(IndexView view, byte[] from, byte[] to) {
    this.to = to;
    this.height = view.height();
    this.path = new Inner[height];
    this.slots = new int[height];
    if (IndexView.isEmptyRange(from, to)) {
      return;
    }
    Node node = view.root();
    for (int level = 0; level < height; level++) {
      path[level] = (Inner) node;
      slots[level] = from == null ? 0 : path[level].childFor(from);
      node = path[level].child(slots[level]);
    }
    enter((Leaf) node);
    position = (from == null ? 0 : leaf.lowerBound(from)) - 1;
  }

  /** Moves to the next key that has any revision. */
  public boolean next() {
    while (leaf != null) {
      if (++position < end) {
        return true;
      }
      if (end < leaf.size()) {
        leaf = null;
      } else {
        advance();
      }
    }
    return false;
  }

  /**
   * Moves to the next key that is live at a revision.
   *
   * @param at stands at the key's revision then
   */
  public boolean nextLive(long revision, RevisionCursor at) {
    while (next()) {
      leaf.revisions(position, at);
      if (at.atMost(revision) && !at.tombstone()) {
        return true;
      }
    }
    return false;
  }

  public byte[] key() {
    return leaf.keyAt(position);
  }

  /** Puts a cursor before the newest revision of the key. */
  public void revisions(RevisionCursor into) {
    leaf.revisions(position, into);
  }

  private void enter(Leaf next) {
    leaf = next;
    position = -1;
    end = to == null ? next.size() : next.lowerBound(to);
  }

  private void advance() {
    int level = height - 1;
    while (level >= 0 && slots[level] == path[level].size() - 1) {
      level--;
    }
    if (level < 0) {
      leaf = null;
      return;
    }
    slots[level]++;
    Node node = path[level].child(slots[level]);
    for (int below = level + 1; below < height; below++) {
      path[below] = (Inner) node;
      slots[below] = 0;
      node = path[below].child(0);
    }
    enter((Leaf) node);
  }
}
