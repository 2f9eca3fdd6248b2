package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.EncodedRecord;
import io.kvorum.mvcc.Record;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * A contiguous part of the history as readers see it: an offset table and a read-only mapping. Sets of segments, the durable manifest and snapshots each hold a
 * reference; when the last one is given back, the owner's hook unmaps it and deletes its files.
 */
final class Segment {
  private final OffsetTable table;
  private final MemorySegment bytes;
  private final Arena arena;
  private final SegmentInfo info;
  private final Consumer<Segment> onFree;
  private final AtomicInteger references = new AtomicInteger(1);

  /**
   * @param info the durable facts, null while the segment is not sealed
   * @param onFree called once, by the thread that gives the last reference back
   */
  Segment(OffsetTable table, MemorySegment bytes, Arena arena, SegmentInfo info, Consumer<Segment> onFree) {
    this.table = table;
    this.bytes = bytes;
    this.arena = arena;
    this.info = info;
    this.onFree = onFree;
  }

  OffsetTable table() {
    return table;
  }

  MemorySegment bytes() {
    return bytes;
  }

  SegmentInfo info() {
    return info;
  }

  boolean sealed() {
    return info != null;
  }

  long payloadBytes() {
    return table instanceof ActiveTable young ? young.payloadBytes() : info.payloadBytes();
  }

  Record record(int position) {
    return new EncodedRecord(table.main(position), table.sub(position), table.tombstone(position), encoding(position));
  }

  MemorySegment encoding(int position) {
    return bytes.asSlice(table.offset(position), table.length(position));
  }

  /** All keys in order, each with the positions of its records. */
  KeyCursor keys() {
    return table instanceof SideFile side ? side.keys() : new KeyOrder(table, bytes).keys();
  }

  Segment retain() {
    if (!tryRetain()) {
      throw new IllegalStateException("the segment was already given back");
    }
    return this;
  }

  private boolean tryRetain() {
    for (int seen = references.get(); seen > 0; seen = references.get()) {
      if (references.compareAndSet(seen, seen + 1)) {
        return true;
      }
    }
    return false;
  }

  void release() {
    int left = references.decrementAndGet();
    if (left == 0) {
      onFree.accept(this);
    } else if (left < 0) {
      throw new IllegalStateException("a segment was given back twice");
    }
  }

  /** Ends the mapping; only from the hook. */
  void unmap() {
    arena.close();
  }
}
