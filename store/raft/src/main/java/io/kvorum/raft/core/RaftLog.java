package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.LogView;
import io.kvorum.raft.SnapshotMeta;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * The log as the protocol sees it: stored entries through {@link LogView}, entries that are not durable yet in {@link EntryTail}, and the marks
 *
 * <pre>  applied &lt;= emitted &lt;= min(commit, persisted),   persisted &lt;= handed &lt;= last</pre>
 *
 * <ul>
 *   <li>{@code handed}: given out in {@link Ready#append()};
 *   <li>{@code persisted}: known to be durable. Each hand-out is remembered until the driver reports it. An overwritten suffix lowers what
 *       the earlier hand-outs count for, so that a late report of overwritten entries never makes their successors look durable, even when
 *       index and term recur;
 *   <li>{@code emitted}: given out in {@link Ready#committed()}.
 * </ul>
 */
final class RaftLog {
  /** Durable entries kept in memory for apply. */
  private static final long KEEP_BYTES = 16 << 20;

  /** A hand-out: identified by its last entry, counting for {@code upTo} only. */
  private static final class HandOut {
    final long index;
    final long term;
    long upTo;

    HandOut(long index, long term) {
      this.index = index;
      this.term = term;
      this.upTo = index;
    }
  }

  private final LogView stored;
  private final EntryTail tail;
  private final ArrayDeque<HandOut> handOuts = new ArrayDeque<>();
  private SnapshotMeta installing;
  private long installedIndex;
  private long installedTerm;
  private long lastTerm;
  private long handed;
  private long persisted;
  private long commit;
  private long emitted;
  private long emittedBytes;
  private long applied;

  RaftLog(LogView stored, long commit, long applied) {
    long last = stored.lastIndex();
    if (applied > last || applied < stored.firstIndex() - 1) {
      throw new IllegalArgumentException("applied index " + applied + " lies outside the log " + stored.firstIndex() + ".." + last);
    }
    this.stored = stored;
    this.tail = new EntryTail(last + 1);
    this.handed = last;
    this.persisted = last;
    this.lastTerm = stored.term(last);
    this.commit = Math.max(applied, Math.min(commit, last));
    this.applied = applied;
    this.emitted = applied;
  }

  long firstIndex() {
    return Math.max(stored.firstIndex(), installedIndex + 1);
  }

  long lastIndex() {
    return tail.lastIndex();
  }

  long lastTerm() {
    return lastTerm;
  }

  long commit() {
    return commit;
  }

  long applied() {
    return applied;
  }

  long persisted() {
    return persisted;
  }

  boolean isInstalling() {
    return installing != null;
  }

  /** Term of an entry in {@code [firstIndex - 1, lastIndex]}. */
  long term(long index) {
    if (index >= tail.offset()) {
      return tail.get(index).term();
    }
    return index == installedIndex && index > 0 ? installedTerm : stored.term(index);
  }

  boolean matches(long index, long term) {
    return index >= firstIndex() - 1 && index <= lastIndex() && term(index) == term;
  }

  /** Whether a log that ends so is at least as up to date as this one. */
  boolean isUpToDate(long otherLastIndex, long otherLastTerm) {
    return otherLastTerm > lastTerm || (otherLastTerm == lastTerm && otherLastIndex >= lastIndex());
  }

  /**
   * The highest index {@code <= index} whose term is {@code <= term}: no entry above it can match a log whose entry at {@code index} has
   * that term. Terms never fall along the log, so this halves the range. {@code firstIndex - 2} when even the entry before the first is of
   * a later term.
   */
  long lastAtOrBelowTerm(long index, long term) {
    long low = firstIndex() - 2;
    long high = Math.min(index, lastIndex());
    while (low < high) {
      long middle = low + (high - low + 1) / 2;
      if (term(middle) <= term) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return Math.max(low, 0);
  }

  void append(Entry entry) {
    tail.add(entry);
    lastTerm = entry.term();
  }

  /**
   * Overwrites what conflicts and appends the rest of {@code entries}, which follow a matching entry; returns the first index that changed,
   * 0 when nothing did.
   */
  long merge(List<Entry> entries) {
    int known = 0;
    while (known < entries.size() && matches(entries.get(known).index(), entries.get(known).term())) {
      known++;
    }
    if (known == entries.size()) {
      return 0;
    }
    long from = entries.get(known).index();
    if (from <= commit) {
      throw new IllegalStateException("entry " + from + " conflicts with a committed one (commit " + commit + ")");
    }
    if (from <= lastIndex()) {
      tail.cutFrom(from);
      handed = Math.min(handed, from - 1);
      persisted = Math.min(persisted, from - 1);
      handOuts.forEach(h -> h.upTo = Math.min(h.upTo, from - 1));
    }
    for (int i = known; i < entries.size(); i++) {
      append(entries.get(i));
    }
    return from;
  }

  boolean commitTo(long index) {
    if (index <= commit) {
      return false;
    }
    if (index > lastIndex()) {
      throw new IllegalStateException("commit " + index + " lies beyond the last index " + lastIndex());
    }
    commit = index;
    return true;
  }

  /** Entries {@code [from, to)} cut at {@code maxBytes}, at least one. */
  List<Entry> entries(long from, long to, long maxBytes) {
    long offset = tail.offset();
    if (from >= offset) {
      return tail.slice(from, to, maxBytes);
    }
    List<Entry> old = stored.entries(from, Math.min(to, offset), maxBytes);
    if (to <= offset || from + old.size() < offset) {
      return old;
    }
    long bytes = 0;
    for (Entry entry : old) {
      bytes += entry.sizeBytes();
    }
    if (bytes + tail.get(offset).sizeBytes() > maxBytes) {
      return old;
    }
    List<Entry> all = new ArrayList<>(old);
    all.addAll(tail.slice(offset, to, maxBytes - bytes));
    return all;
  }

  boolean hasAppend() {
    return handed < lastIndex();
  }

  /** Entries that were not handed out yet. */
  List<Entry> takeAppend() {
    if (!hasAppend()) {
      return List.of();
    }
    List<Entry> entries = tail.slice(handed + 1, lastIndex() + 1, Long.MAX_VALUE);
    handed = lastIndex();
    handOuts.add(new HandOut(handed, lastTerm));
    return entries;
  }

  /** Returns whether more is durable than before. */
  boolean persisted(long index, long term) {
    long upTo = 0;
    boolean known = false;
    for (HandOut h : handOuts) {
      upTo = h.upTo;
      if (h.index == index && h.term == term) {
        known = true;
        break;
      }
    }
    if (!known) {
      return false;
    }
    HandOut done;
    do {
      done = handOuts.remove();
    } while (done.index != index || done.term != term);
    if (upTo <= persisted) {
      return false;
    }
    persisted = upTo;
    tail.dropTo(persisted, emitted, KEEP_BYTES);
    return true;
  }

  boolean hasCommitted(long maxBytes) {
    return installing == null && emitted < Math.min(commit, persisted) && (emittedBytes < maxBytes || emitted == applied);
  }

  /** Next committed and durable entries; nothing while {@code maxBytes} of earlier ones wait to be applied. */
  List<Entry> takeCommitted(long maxBytes) {
    if (!hasCommitted(maxBytes)) {
      return List.of();
    }
    List<Entry> entries = entries(emitted + 1, Math.min(commit, persisted) + 1, maxBytes);
    emitted += entries.size();
    for (Entry entry : entries) {
      emittedBytes += entry.sizeBytes();
    }
    tail.dropTo(persisted, emitted, KEEP_BYTES);
    return entries;
  }

  void applied(long index) {
    if (index > emitted) {
      throw new IllegalArgumentException("applied " + index + ", but only " + emitted + " was handed out");
    }
    applied = Math.max(applied, index);
    if (applied == emitted) {
      emittedBytes = 0;
    }
  }

  /** The log is to be replaced by a snapshot; what is in flight to the disk counts for nothing any more. */
  void install(SnapshotMeta meta) {
    installing = meta;
    installedIndex = meta.index();
    installedTerm = meta.term();
    lastTerm = meta.term();
    tail.clear(meta.index() + 1);
    handOuts.forEach(h -> h.upTo = 0);
    handed = meta.index();
    persisted = meta.index();
    commit = meta.index();
    emitted = meta.index();
    emittedBytes = 0;
    applied = meta.index();
  }

  /** Returns whether {@code meta} is what was being installed. */
  boolean installed(SnapshotMeta meta) {
    if (installing == null || installing.index() != meta.index()) {
      return false;
    }
    installing = null;
    return true;
  }
}
