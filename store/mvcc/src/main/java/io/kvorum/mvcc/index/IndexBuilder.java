package io.kvorum.mvcc.index;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Builds an index from the bottom up, from keys in order, leaving out what a compaction makes dead. */
public final class IndexBuilder {
  /** Some room, so that the first insert into each leaf does not split it. */
  private static final int FILL_KEYS = Leaf.MAX_KEYS - 8;

  private static final int FILL_BYTES = Leaf.MAX_BYTES / 2;

  private final long floor;
  private final DropSink sink;
  private final LeafBuilder leafBuilder = new LeafBuilder();
  private List<Node> nodes = new ArrayList<>();
  private List<byte[]> separators = new ArrayList<>();
  private byte[] lastPacked;
  private byte[] key;
  private History revisions;
  private long main;
  private int sub;
  private boolean tombstone;

  /**
   * @param floor the compacted revision, -1 for none
   * @param sink hears what is left out
   */
  public IndexBuilder(long floor, DropSink sink) {
    this.floor = floor;
    this.sink = sink;
  }

  /**
   * Adds a revision: keys ascending, revisions of a key ascending. The array is kept.
   *
   * @return whether this is a revision of the same key as the one before
   * @throws IllegalArgumentException out of order
   */
  public boolean add(byte[] nextKey, long nextMain, int nextSub, boolean nextTombstone) {
    int order = key == null ? -1 : key == nextKey ? 0 : Arrays.compareUnsigned(key, nextKey);
    if (order > 0 || order == 0 && (nextMain < main || nextMain == main && nextSub <= sub)) {
      throw new IllegalArgumentException("key or revision out of order at revision " + nextMain + "." + nextSub);
    }
    if (order == 0) {
      if (revisions == null) {
        revisions = History.empty().append(main, sub, tombstone);
      }
      revisions = revisions.append(nextMain, nextSub, nextTombstone);
    } else {
      flush();
      key = nextKey;
    }
    main = nextMain;
    sub = nextSub;
    tombstone = nextTombstone;
    return order == 0;
  }

  /** The index of all that was added. The builder is used up. */
  public KeyIndex build() {
    flush();
    closeLeaf();
    if (nodes.isEmpty()) {
      return new KeyIndex();
    }
    int height = 0;
    while (nodes.size() > 1) {
      List<Node> above = new ArrayList<>(nodes.size() / Inner.FANOUT + 1);
      List<byte[]> aboveSeparators = new ArrayList<>(nodes.size() / Inner.FANOUT + 1);
      for (int from = 0; from < nodes.size(); from += Inner.FANOUT) {
        int to = Math.min(nodes.size(), from + Inner.FANOUT);
        above.add(Inner.of(0, nodes.subList(from, to), separators.subList(from, to)));
        aboveSeparators.add(separators.get(from));
      }
      nodes = above;
      separators = aboveSeparators;
      height++;
    }
    return new KeyIndex(nodes.getFirst(), height);
  }

  private void flush() {
    if (key == null) {
      return;
    }
    if (revisions == null) {
      if (tombstone && main < floor) {
        sink.dropped(main, sub);
      } else {
        byte[] list = RevisionList.single(main, sub, tombstone);
        room();
        leafBuilder.add(key, list, 0, list.length, null);
        lastPacked = key;
      }
      return;
    }
    History kept = revisions.compact(floor, sink);
    revisions = null;
    if (kept.size() > 0) {
      room();
      leafBuilder.add(key, kept);
      lastPacked = key;
    }
  }

  /** Closes the open leaf if it is full; the key at hand begins the next one. */
  private void room() {
    if (leafBuilder.size() >= FILL_KEYS || leafBuilder.bytes() + key.length > FILL_BYTES && leafBuilder.size() > 0) {
      byte[] last = lastPacked;
      closeLeaf();
      separators.add(KeyIndex.separator(last, key));
    } else if (nodes.isEmpty() && separators.isEmpty()) {
      separators.add(Bytes.EMPTY);
    }
  }

  private void closeLeaf() {
    if (leafBuilder.size() > 0) {
      nodes.add(leafBuilder.build());
    }
  }
}
