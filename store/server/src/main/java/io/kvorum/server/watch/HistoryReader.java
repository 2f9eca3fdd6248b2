package io.kvorum.server.watch;

import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import java.util.ArrayList;
import java.util.List;

/**
 * Gives watchers that are behind what they missed, a slice of history at a time, so that live delivery is held up for milliseconds at most. Those whose
 * next revision lies in the slice share it: each record is read and encoded once. A watcher whose stream does not keep up waits; its memory is its revision.
 */
final class HistoryReader {
  private final WatchCore core;
  private final WatchBounds bounds;

  HistoryReader(WatchCore core, WatchBounds bounds) {
    this.core = core;
    this.bounds = bounds;
  }

  /** Returns false when no watcher that is behind can take anything now. */
  boolean readSlice() {
    long from = Long.MAX_VALUE;
    for (Watcher watcher : core.behind()) {
      if (watcher.next < from && watcher.stream.keepsUp()) {
        from = watcher.next;
      }
    }
    if (from == Long.MAX_VALUE) {
      return false;
    }
    try (LazyView lazy = new LazyView(core.store())) {
      ReadView view = lazy.get();
      if (from < view.compactRevision()) {
        core.compacted(view.compactRevision());
        return true;
      }
      if (from > view.revision()) {
        return false;
      }
      List<Record> slice = view.changes(from, bounds.sliceRevisions(), bounds.sliceBytes());
      serve(slice, slice.isEmpty() ? view.revision() : slice.getLast().main(), lazy);
    }
    return true;
  }

  private void serve(List<Record> slice, long to, LazyView lazy) {
    List<Watcher> cohort = new ArrayList<>();
    for (Watcher watcher : core.behind()) {
      if (watcher.next <= to && watcher.stream.keepsUp()) {
        cohort.add(watcher);
        if (cohort.size() == bounds.cohort()) {
          break;
        }
      }
    }
    for (Record record : slice) {
      collect(record, cohort);
    }
    byte[] head = core.header(lazy.get().revision());
    for (Watcher watcher : cohort) {
      if (watcher.pending.isEmpty() || core.send(watcher, head, lazy)) {
        watcher.next = to + 1;
        if (watcher.next > core.revision()) {
          core.place(watcher);
        }
      }
    }
  }

  private static void collect(Record record, List<Watcher> cohort) {
    byte[] key = record.key();
    EncodedEvent event = null;
    for (Watcher watcher : cohort) {
      if (record.main() >= watcher.next && watcher.accepts(record.tombstone()) && watcher.covers(key)) {
        if (event == null) {
          event = EncodedEvent.of(record, key);
        }
        watcher.pending.add(event);
      }
    }
  }
}
