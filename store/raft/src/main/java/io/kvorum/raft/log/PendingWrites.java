package io.kvorum.raft.log;

import io.kvorum.raft.Entry;
import io.kvorum.raft.HardState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;

/** What was handed over and waits to be written, in order. Not thread-safe. */
final class PendingWrites {
  private sealed interface Write {
    record Append(List<Entry> entries) implements Write {}

    record Truncate(long index, long term) implements Write {}
  }

  private final List<Write> writes = new ArrayList<>();

  void append(List<Entry> entries) {
    writes.add(new Write.Append(entries));
  }

  /** Everything behind {@code index} is void. */
  void truncate(long index, long term) {
    writes.add(new Write.Truncate(index, term));
  }

  /** Of the entries up to {@code index}, the last that is not overwritten by what waits here. */
  long lowestKept(long index) {
    long kept = index;
    for (Write write : writes) {
      kept = write instanceof Write.Truncate truncate ? Math.min(kept, truncate.index) : kept;
    }
    return kept;
  }

  /**
   * A crash leaves a prefix of what is written here. So term and vote go first: entries of a term must never be found below a hard state of an older
   * term. The commit index goes last: it must
   * never be found without the entries that it speaks of.
   */
  void writeTo(SegmentWriter writer, HardState newest, LongConsumer truncated) throws IOException {
    HardState written = writer.state();
    if (newest.term() != written.term() || newest.vote() != written.vote()) {
      writer.state(new HardState(newest.term(), newest.vote(), written.commit()));
    }
    for (Write write : writes) {
      switch (write) {
        case Write.Append append -> writer.entries(append.entries);
        case Write.Truncate truncate -> {
          writer.truncate(truncate.index, truncate.term);
          truncated.accept(truncate.index);
        }
      }
    }
    if (newest.commit() != written.commit()) {
      writer.state(newest);
    }
  }
}
