package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionLog;
import java.util.concurrent.atomic.AtomicBoolean;

/** A view that holds one reference to a set of segments. */
final class PinnedView implements RevisionLog.View {
  private final SegmentSet set;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** @param set already retained for this view */
  PinnedView(SegmentSet set) {
    this.set = set;
  }

  @Override
  public Record find(long main, int sub) {
    return set.find(main, sub);
  }

  @Override
  public void forEach(long from, long to, RevisionLog.Visitor visitor) {
    set.forEach(from, to, visitor);
  }

  @Override
  public void forEachKey(RevisionLog.KeyVisitor visitor) {
    new KeyMerge(set.segments()).forEach(visitor);
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      set.release();
    }
  }
}
