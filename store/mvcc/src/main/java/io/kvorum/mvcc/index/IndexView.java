package io.kvorum.mvcc.index;

import java.util.Arrays;

/**
 * One state of the index. Ranges are {@code [from, to)} with null for an open end; revisions are main revisions, and one at or above the newest means the
 * present.
 */
public final class IndexView {
  private final Node root;
  private final int height;
  private final long live;

  IndexView(Node root, int height, long live) {
    this.root = root;
    this.height = height;
    this.live = live;
  }

  /** Keys whose newest revision is a put. */
  public long live() {
    return live;
  }

  /**
   * Finds the newest revision of a key at or below a main revision.
   *
   * @param at stands at it when found
   * @return whether there is one (it may be a tombstone)
   */
  public boolean find(byte[] key, long revision, RevisionCursor at) {
    Node node = root;
    while (node instanceof Inner inner) {
      node = inner.child(inner.childFor(key));
    }
    Leaf leaf = (Leaf) node;
    int position = leaf.find(key);
    if (position < 0) {
      return false;
    }
    leaf.revisions(position, at);
    return at.atMost(revision);
  }

  /** Number of keys in a range that are live at a revision. */
  public long count(byte[] from, byte[] to, long revision) {
    return new Counter(revision).count(this, from, to);
  }

  public Scan scan(byte[] from, byte[] to) {
    return new Scan(this, from, to);
  }

  Node root() {
    return root;
  }

  int height() {
    return height;
  }

  static boolean isEmptyRange(byte[] from, byte[] to) {
    return from != null && to != null && Arrays.compareUnsigned(from, to) >= 0;
  }
}
