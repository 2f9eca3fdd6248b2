package io.kvorum.mvcc.index;

/**
 * Counts live keys of a range. A subtree that lies in the range and has not changed since the revision is counted by its parent's number, so the present is
 * counted along the two edges of the range alone, and a past revision costs what has changed since.
 */
final class Counter {
  private final long revision;
  private final RevisionCursor cursor = new RevisionCursor();
  private long visits;

  Counter(long revision) {
    this.revision = revision;
  }

  long count(IndexView view, byte[] from, byte[] to) {
    return IndexView.isEmptyRange(from, to) ? 0 : count(view.root(), from, to);
  }

  /** Nodes looked into so far. */
  long visits() {
    return visits;
  }

  private long count(Node node, byte[] from, byte[] to) {
    visits++;
    return switch (node) {
      case Leaf leaf -> inLeaf(leaf, from, to);
      case Inner inner -> {
        int first = from == null ? 0 : inner.childFor(from);
        int last = to == null ? inner.size() - 1 : inner.childFor(to);
        long sum = 0;
        for (int i = first; i <= last; i++) {
          byte[] childFrom = i == first ? from : null;
          byte[] childTo = i == last ? to : null;
          boolean whole = childFrom == null && childTo == null && inner.newestOf(i) <= revision;
          sum += whole ? inner.liveOf(i) : count(inner.child(i), childFrom, childTo);
        }
        yield sum;
      }
    };
  }

  private long inLeaf(Leaf leaf, byte[] from, byte[] to) {
    int first = from == null ? 0 : leaf.lowerBound(from);
    int last = to == null ? leaf.size() : leaf.lowerBound(to);
    boolean present = leaf.newest() <= revision;
    if (present && leaf.live() == leaf.size()) {
      return last - first;
    }
    long sum = 0;
    for (int i = first; i < last; i++) {
      if (present) {
        sum += leaf.liveNewest(i) ? 1 : 0;
      } else {
        leaf.revisions(i, cursor);
        sum += cursor.atMost(revision) && !cursor.tombstone() ? 1 : 0;
      }
    }
    return sum;
  }
}
