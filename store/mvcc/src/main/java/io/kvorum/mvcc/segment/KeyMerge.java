package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.RevisionLog;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Merges the sorted keys of adjacent segments: in key order over all of them, in revision order within a key. */
final class KeyMerge {
  private final PriorityQueue<Source> heads;

  /** @param segments in revision order */
  KeyMerge(List<Segment> segments) {
    Comparator<Source> byKey = (left, right) -> Arrays.compareUnsigned(left.key, right.key);
    heads = new PriorityQueue<>(Math.max(1, segments.size()), byKey.thenComparingInt(source -> source.place));
    for (int place = 0; place < segments.size(); place++) {
      Source source = new Source(place, segments.get(place));
      if (source.advance()) {
        heads.add(source);
      }
    }
  }

  void forEach(RevisionLog.KeyVisitor visitor) {
    while (!heads.isEmpty()) {
      Source head = heads.poll();
      head.show(visitor);
      if (head.advance()) {
        heads.add(head);
      }
    }
  }

  private static final class Source {
    private final int place;
    private final OffsetTable table;
    private final KeyCursor cursor;
    private byte[] key;

    Source(int place, Segment segment) {
      this.place = place;
      this.table = segment.table();
      this.cursor = segment.keys();
    }

    boolean advance() {
      if (!cursor.next()) {
        return false;
      }
      key = cursor.key();
      return true;
    }

    void show(RevisionLog.KeyVisitor visitor) {
      for (int i = 0; i < cursor.positions(); i++) {
        int at = cursor.position(i);
        visitor.visit(key, table.main(at), table.sub(at), table.tombstone(at), table.lease(at));
      }
    }
  }
}
