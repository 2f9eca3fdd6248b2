package io.kvorum.mvcc.index;

import java.util.ArrayList;
import java.util.List;

/**
 * One slice of a compaction pass over the tree: rewrites the leaves below one lowest inner node and the path above it, merging what became small with a
 * neighbour. A separator stays valid when its child loses keys, so removal never changes one.
 */
final class Compaction {
  /** Neighbours that together stay below this are merged; well under the limit so that the next insert does not split them again. */
  private static final int MERGED_KEYS = Leaf.MAX_KEYS * 3 / 4;

  private static final int MERGED_BYTES = Leaf.MAX_BYTES / 2;
  private static final int MERGED_CHILDREN = Inner.FANOUT * 3 / 4;

  private final long edit;
  private final byte[] from;
  private final long floor;
  private final DropSink sink;
  private byte[] next;

  Compaction(long edit, byte[] from, long floor, DropSink sink) {
    this.edit = edit;
    this.from = from;
    this.floor = floor;
    this.sink = sink;
  }

  /** Where the next slice begins, null when this was the last. */
  byte[] next() {
    return next;
  }

  /**
   * @return the node in its new shape (the same one if nothing changed), null when it is empty
   */
  Node run(Node node, int height) {
    return switch (node) {
      case Leaf leaf -> leaf.size() == 0 ? leaf : leaf.compact(floor, sink);
      case Inner inner when height == 1 -> leaves(inner);
      case Inner inner -> {
        int slot = from == null ? 0 : inner.childFor(from);
        Node before = inner.child(slot);
        Node after = run(before, height - 1);
        if (next == null && slot + 1 < inner.size()) {
          next = inner.separator(slot + 1);
        }
        yield after == before ? inner : withChild(inner, slot, (Inner) after);
      }
    };
  }

  private Node leaves(Inner inner) {
    List<Node> kept = new ArrayList<>(inner.size());
    List<byte[]> separators = new ArrayList<>(inner.size());
    boolean changed = false;
    for (int i = 0; i < inner.size(); i++) {
      Leaf before = (Leaf) inner.child(i);
      Leaf after = before.compact(floor, sink);
      changed |= after != before;
      if (after == null) {
        continue;
      }
      Leaf left = kept.isEmpty() ? null : (Leaf) kept.getLast();
      if (left != null && left.size() + after.size() <= MERGED_KEYS && left.bytes() + after.bytes() <= MERGED_BYTES) {
        LeafBuilder both = new LeafBuilder();
        both.addAll(left, 0, left.size());
        both.addAll(after, 0, after.size());
        kept.set(kept.size() - 1, both.build());
        changed = true;
      } else {
        kept.add(after);
        separators.add(inner.separator(i));
      }
    }
    if (!changed) {
      return inner;
    }
    return kept.isEmpty() ? null : Inner.of(edit, kept, separators);
  }

  private Inner withChild(Inner inner, int slot, Inner after) {
    List<Node> children = new ArrayList<>(inner.size());
    List<byte[]> separators = new ArrayList<>(inner.size());
    for (int i = 0; i < inner.size(); i++) {
      Node child = i == slot ? after : inner.child(i);
      if (child == null) {
        continue;
      }
      boolean mayMerge = (i == slot || i == slot + 1) && !children.isEmpty();
      if (mayMerge && ((Inner) children.getLast()).size() + ((Inner) child).size() <= MERGED_CHILDREN) {
        children.set(children.size() - 1, merged((Inner) children.getLast(), inner.separator(i), (Inner) child));
      } else {
        children.add(child);
        separators.add(inner.separator(i));
      }
    }
    return children.isEmpty() ? null : Inner.of(edit, children, separators);
  }

  private Inner merged(Inner left, byte[] separator, Inner right) {
    List<Node> children = new ArrayList<>(left.size() + right.size());
    List<byte[]> separators = new ArrayList<>(left.size() + right.size());
    for (int i = 0; i < left.size(); i++) {
      children.add(left.child(i));
      separators.add(left.separator(i));
    }
    for (int i = 0; i < right.size(); i++) {
      children.add(right.child(i));
      separators.add(i == 0 ? separator : right.separator(i));
    }
    return Inner.of(edit, children, separators);
  }
}
