package io.kvorum.raft.log;

import io.kvorum.raft.HardState;
import io.kvorum.raft.log.DiskIndex.Segment;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Builds the picture of a log from its records. */
final class RecoveredLog implements LogRecovery.Visitor {
  private final MemoryTail tail;
  private final DiskIndex index = new DiskIndex();
  private HardState state = HardState.EMPTY;
  private boolean begun;

  RecoveredLog(long cacheBytes) {
    this.tail = new MemoryTail(cacheBytes, 0, 0);
  }

  MemoryTail tail() {
    return tail;
  }

  DiskIndex index() {
    return index;
  }

  /** Newest hard state. Its commit index never lies outside of the log. */
  HardState state() {
    long commit = Math.min(Math.max(state.commit(), tail.baseIndex()), tail.lastIndex());
    return new HardState(state.term(), state.vote(), commit);
  }

  @Override
  public void begin(Segment segment) {
    if (!begun) {
      tail.reset(segment.header().baseIndex(), segment.header().baseTerm());
      state = segment.header().hardState();
      begun = true;
    }
  }

  @Override
  public void entries(Segment segment, long offset, ByteBuffer in) throws IOException {
    long first = in.getLong();
    int count = in.getInt();
    if (first != tail.lastIndex() + 1) {
      throw new LogCorruptException(segment.path(), offset, "entries begin at " + first + " and not behind " + tail.lastIndex());
    }
    index.wrote(segment, offset, first);
    for (int i = 0; i < count; i++) {
      // The content stays in the file: most of it lies behind the checkpoint and will never be asked for.
      tail.appendWritten(first + i, RecordFormat.entryTerm(in));
      RecordFormat.skipEntry(in);
    }
  }

  @Override
  public void truncate(long to, long term) {
    tail.truncate(to, term);
    index.truncated(to);
  }

  @Override
  public void state(HardState newState) {
    state = newState;
  }
}
