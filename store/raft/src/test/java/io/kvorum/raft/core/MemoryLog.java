package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.LogView;
import io.kvorum.raft.SnapshotMeta;
import java.util.ArrayList;
import java.util.List;

/** A log in memory. A test member keeps two: what was handed to the log, and what of it is durable. */
final class MemoryLog implements LogView {
  private List<Entry> entries = new ArrayList<>();
  private long baseIndex;
  private long baseTerm;

  MemoryLog copy() {
    MemoryLog copy = new MemoryLog();
    copy.entries = new ArrayList<>(entries);
    copy.baseIndex = baseIndex;
    copy.baseTerm = baseTerm;
    return copy;
  }

  void append(List<Entry> more) {
    if (more.isEmpty()) {
      return;
    }
    long from = more.getFirst().index();
    if (from <= baseIndex || from > lastIndex() + 1) {
      throw new IllegalStateException("append at " + from + " to log " + firstIndex() + ".." + lastIndex());
    }
    int keep = (int) (from - firstIndex());
    if (keep < entries.size()) {
      entries.subList(keep, entries.size()).clear();
    }
    entries.addAll(more);
  }

  void cutTo(long index) {
    if (index <= baseIndex) {
      return;
    }
    long term = term(index);
    entries = new ArrayList<>(entries.subList((int) (index - baseIndex), entries.size()));
    baseIndex = index;
    baseTerm = term;
  }

  void reset(SnapshotMeta meta) {
    entries = new ArrayList<>();
    baseIndex = meta.index();
    baseTerm = meta.term();
  }

  @Override
  public long firstIndex() {
    return baseIndex + 1;
  }

  @Override
  public long lastIndex() {
    return baseIndex + entries.size();
  }

  @Override
  public long term(long index) {
    if (index == baseIndex) {
      return baseTerm;
    }
    return get(index).term();
  }

  Entry get(long index) {
    if (index < firstIndex()) {
      throw new CompactedException(index, firstIndex());
    }
    return entries.get((int) (index - firstIndex()));
  }

  @Override
  public List<Entry> entries(long from, long to, long maxBytes) {
    if (from < firstIndex()) {
      throw new CompactedException(from, firstIndex());
    }
    if (to > lastIndex() + 1) {
      throw new IndexOutOfBoundsException("to " + to + " beyond " + lastIndex());
    }
    List<Entry> result = new ArrayList<>();
    long bytes = 0;
    for (long i = from; i < to; i++) {
      Entry entry = get(i);
      bytes += entry.sizeBytes();
      if (bytes > maxBytes && !result.isEmpty()) {
        break;
      }
      result.add(entry);
    }
    return result;
  }
}
