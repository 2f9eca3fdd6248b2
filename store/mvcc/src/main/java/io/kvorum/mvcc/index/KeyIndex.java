package io.kvorum.mvcc.index;

import java.util.Arrays;
import java.util.List;

/**
 * The writer's side of the index: a B+tree of which published roots never change. One thread at a time.
 *
 * <ol>
 *   <li>{@link #seek} descends to a key and remembers the path.
 *   <li>{@link #add} replaces the leaf by a copy with the revision, and changes counts along the path: in place in nodes that were copied since the last
 *       {@link #publish} (they are private to the running batch), else in a copy.
 *   <li>{@link #publish} hands out the root and ends the batch, so that everything reachable from it stays as it is.
 * </ol>
 */
public final class KeyIndex {
  private static final int MAX_HEIGHT = 16;

  private Node root;
  /** Inner levels above the leaves. */
  private int height;

  private long live;
  private long edit = 1;

  private final Inner[] path = new Inner[MAX_HEIGHT];
  private final int[] slots = new int[MAX_HEIGHT];
  private byte[] soughtKey;
  private Leaf leaf;
  private int position;

  public KeyIndex() {
    this(Leaf.EMPTY, 0);
  }

  KeyIndex(Node root, int height) {
    this.root = root;
    this.height = height;
    this.live = root.live();
  }

  /**
   * Finds a key, for reading its revisions and for {@link #add}.
   *
   * @param into stands before the key's newest revision when it is found
   * @return whether the key has any revision
   */
  public boolean seek(byte[] key, RevisionCursor into) {
    Node node = root;
    for (int level = 0; level < height; level++) {
      Inner inner = (Inner) node;
      int slot = inner.childFor(key);
      path[level] = inner;
      slots[level] = slot;
      node = inner.child(slot);
    }
    leaf = (Leaf) node;
    soughtKey = key;
    position = leaf.find(key);
    if (position < 0) {
      return false;
    }
    leaf.revisions(position, into);
    return true;
  }

  /**
   * Gives the key that was last sought a newer revision. Its revisions must ascend.
   *
   * @throws IllegalStateException if nothing was sought since the last change
   */
  public void add(long main, int sub, boolean tombstone) {
    if (leaf == null) {
      throw new IllegalStateException("no key was sought");
    }
    Leaf next =
        position >= 0
            ? leaf.withRevision(position, main, sub, tombstone)
            : leaf.withKey(-position - 1, soughtKey, main, sub, tombstone);
    int delta = (int) (next.live() - leaf.live());
    live += delta;
    if (next.oversized()) {
      boolean appended = -position - 1 == leaf.size();
      split(next, appended);
    } else {
      replace(height - 1, next, delta, main);
    }
    leaf = null;
    soughtKey = null;
  }

  /** Puts a node below the path's given level, and corrects that and all levels above. */
  private void replace(int fromLevel, Node child, int delta, long main) {
    Node below = child;
    for (int level = fromLevel; level >= 0; level--) {
      Inner node = path[level].editable(edit);
      node.set(slots[level], below, delta, main);
      below = node;
    }
    root = below;
  }

  private void split(Leaf full, boolean appended) {
    int cut = appended ? full.size() - 1 : full.size() / 2;
    LeafBuilder builder = new LeafBuilder();
    builder.addAll(full, 0, cut);
    Node left = builder.build();
    builder.addAll(full, cut, full.size());
    Node right = builder.build();
    byte[] separator = separator(full.keyAt(cut - 1), full.keyAt(cut));
    for (int level = height - 1; level >= 0; level--) {
      Inner grown = path[level].withSplit(edit, slots[level], left, separator, right);
      if (grown.size() <= Inner.FANOUT) {
        // Counts above change by what the pair has more than the one child had.
        int delta = (int) (grown.live() - path[level].live());
        replace(level - 1, grown, delta, grown.newest());
        return;
      }
      int middle = slots[level] == grown.size() - 2 ? grown.size() - 2 : grown.size() / 2;
      separator = grown.separator(middle);
      left = grown.part(edit, 0, middle);
      right = grown.part(edit, middle, grown.size());
    }
    root = Inner.of(edit, List.of(left, right), Arrays.asList(null, separator));
    height++;
  }

  /** The shortest key above {@code low} and not above {@code high}. */
  static byte[] separator(byte[] low, byte[] high) {
    return Arrays.copyOf(high, Bytes.commonPrefix(low, high) + 1);
  }

  /** The present state for reading before the next change; not to be kept. */
  public IndexView current() {
    return new IndexView(root, height, live);
  }

  /** The present state, for keeping: no later change touches it. */
  public IndexView publish() {
    edit++;
    leaf = null;
    return current();
  }

  /** Keys whose newest revision is a put. */
  public long live() {
    return live;
  }

  /**
   * One bounded slice of a compaction: the keys of at most one lowest inner node (some 4,000), from a key on. Nothing visible at or above the floor changes;
   * so slices may run at any time between changes, and a pass may be given up in the middle.
   *
   * @param from where the slice before ended, null to begin
   * @param floor the compacted revision
   * @return where to go on, null when the pass is complete
   */
  public byte[] compact(byte[] from, long floor, DropSink sink) {
    Compaction slice = new Compaction(edit, from, floor, sink);
    Node next = slice.run(root, height);
    leaf = null;
    root = next == null ? Leaf.EMPTY : next;
    height = next == null ? 0 : height;
    while (root instanceof Inner inner && inner.size() == 1) {
      root = inner.child(0);
      height--;
    }
    return slice.next();
  }
}
