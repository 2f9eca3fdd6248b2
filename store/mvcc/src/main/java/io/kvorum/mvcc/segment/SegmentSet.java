package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionLog;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The segments of the history at one time, in revision order: sealed ones, then those still to be sealed, the active one last. Immutable; counted references. */
final class SegmentSet {
  private static final long UNKNOWN = Long.MIN_VALUE;

  private final List<Segment> segments;
  private final AtomicInteger references = new AtomicInteger(1);

  /** First main revision of each segment; not known of one that is still empty. */
  private final long[] firstMains;

  /** Takes a reference to each segment of its own. */
  SegmentSet(List<Segment> segments) {
    this.segments = List.copyOf(segments);
    this.segments.forEach(Segment::retain);
    this.firstMains = this.segments.stream().mapToLong(segment -> segment.table().count() == 0 ? UNKNOWN : segment.table().main(0)).toArray();
  }

  List<Segment> segments() {
    return segments;
  }

  boolean tryRetain() {
    for (int seen = references.get(); seen > 0; seen = references.get()) {
      if (references.compareAndSet(seen, seen + 1)) {
        return true;
      }
    }
    return false;
  }

  void release() {
    if (references.decrementAndGet() == 0) {
      segments.forEach(Segment::release);
    }
  }

  /** Bytes of all encodings. */
  long payloadBytes() {
    long sum = 0;
    for (Segment segment : segments) {
      sum += segment.payloadBytes();
    }
    return sum;
  }

  Record find(long main, int sub) {
    int place = placeOf(main, sub);
    if (place < 0) {
      return null;
    }
    Segment segment = segments.get(place);
    int position = segment.table().positionOf(main, sub);
    return position < 0 ? null : segment.record(position);
  }

  /** The last segment that begins at or before a revision, -1 if there is none. One transaction may reach over a cut, so sub-revisions count. */
  private int placeOf(long main, int sub) {
    int low = 0;
    int high = segments.size() - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (beginsAtOrBefore(middle, main, sub)) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high;
  }

  private boolean beginsAtOrBefore(int place, long main, int sub) {
    OffsetTable table = segments.get(place).table();
    long first = firstMains[place];
    if (first == UNKNOWN) {
      if (table.count() == 0) {
        return false;
      }
      first = table.main(0);
    }
    return first < main || first == main && table.sub(0) <= sub;
  }

  void forEach(long from, long to, RevisionLog.Visitor visitor) {
    for (int place = Math.max(0, placeOf(from, 0)); place < segments.size(); place++) {
      Segment segment = segments.get(place);
      OffsetTable table = segment.table();
      int count = table.count();
      for (int i = table.lowerBound(from, 0); i < count; i++) {
        if (table.main(i) > to || !visitor.visit(segment.record(i))) {
          return;
        }
      }
    }
  }
}
