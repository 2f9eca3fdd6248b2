package io.kvorum.mvcc.segment;

import java.util.ArrayList;
import java.util.List;

/** The current set of segments. Changes replace it whole, under the monitor; readers pin what is current without it. */
final class SegmentChain {
  private volatile SegmentSet current = new SegmentSet(List.of());

  /** The current set with a reference for the caller, who releases it. */
  SegmentSet pin() {
    for (; ; ) {
      SegmentSet set = current;
      if (set.tryRetain()) {
        return set;
      }
    }
  }

  /** Adds a segment at the end, and takes over the caller's reference. */
  synchronized void add(Segment segment) {
    List<Segment> segments = new ArrayList<>(current.segments());
    segments.add(segment);
    become(segments);
    segment.release();
  }

  /**
   * Puts other segments in the place of adjacent ones, and takes over the callers' references to them.
   *
   * @return false, with nothing changed, if the old ones are not (or no longer) adjacent parts of the chain
   */
  synchronized boolean replace(List<Segment> old, List<Segment> fresh) {
    List<Segment> segments = new ArrayList<>(current.segments());
    int at = segments.indexOf(old.getFirst());
    if (at < 0 || at + old.size() > segments.size() || !segments.subList(at, at + old.size()).equals(old)) {
      return false;
    }
    segments.subList(at, at + old.size()).clear();
    segments.addAll(at, fresh);
    become(segments);
    fresh.forEach(Segment::release);
    return true;
  }

  /** Replaces all, and takes over the callers' references. */
  synchronized void reset(List<Segment> fresh) {
    become(fresh);
    fresh.forEach(Segment::release);
  }

  private void become(List<Segment> segments) {
    SegmentSet old = current;
    current = new SegmentSet(segments);
    old.release();
  }
}
