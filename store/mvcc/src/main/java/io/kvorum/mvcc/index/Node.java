package io.kvorum.mvcc.index;

/** A node of the tree. All leaves are at one depth. */
abstract sealed class Node permits Leaf, Inner {
  /** Live keys in the subtree. */
  abstract long live();

  /** Highest main revision in the subtree, or above it after a compaction took it out. */
  abstract long newest();
}
