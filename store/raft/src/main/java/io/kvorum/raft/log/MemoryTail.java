package io.kvorum.raft.log;

import io.kvorum.raft.Entry;
import io.kvorum.raft.LogView.CompactedException;
import java.util.Arrays;
import java.util.List;

/**
 * The log as it has been handed over: its bounds, the terms of all its entries and, in memory, the newest entries. Entries that are written may be
 * dropped from memory, oldest first, once
 * they take more than the bound. Not thread-safe.
 */
final class MemoryTail {
  private final long maxBytes;
  private long baseIndex;
  private long baseTerm;
  private long lastIndex;
  private long writtenIndex;

  private Entry[] ring = new Entry[1024];
  private long cachedFrom;
  private long cachedBytes;

  /** Run k covers the indices from termStarts[k] up to the next run's start. The first run covers the base. */
  private long[] termStarts = new long[8];

  private long[] terms = new long[8];
  private int termRuns;

  MemoryTail(long maxBytes, long baseIndex, long baseTerm) {
    this.maxBytes = maxBytes;
    reset(baseIndex, baseTerm);
  }

  /** Empties the log: its next entry is {@code index + 1}. */
  void reset(long index, long term) {
    Arrays.fill(ring, null);
    baseIndex = index;
    baseTerm = term;
    lastIndex = index;
    writtenIndex = index;
    cachedFrom = index + 1;
    cachedBytes = 0;
    termRuns = 0;
    startRun(index, term);
  }

  long baseIndex() {
    return baseIndex;
  }

  long lastIndex() {
    return lastIndex;
  }

  /** Lowest index whose entry is in memory; {@code lastIndex + 1} when none is. */
  long cachedFrom() {
    return cachedFrom;
  }

  long term(long index) {
    if (index < baseIndex) {
      throw new CompactedException(index, baseIndex + 1);
    }
    if (index > lastIndex) {
      throw new IndexOutOfBoundsException("index " + index + " is above the last index " + lastIndex);
    }
    int run = Arrays.binarySearch(termStarts, 0, termRuns, index);
    return terms[run >= 0 ? run : -run - 2];
  }

  /** Takes one entry behind the last. */
  void append(Entry entry) {
    if (entry.index() != lastIndex + 1) {
      throw new IllegalArgumentException("entry " + entry.index() + " does not follow " + lastIndex);
    }
    if (terms[termRuns - 1] != entry.term()) {
      startRun(entry.index(), entry.term());
    }
    lastIndex = entry.index();
    if (lastIndex - cachedFrom + 1 > ring.length) {
      grow();
    }
    ring[slot(lastIndex)] = entry;
    cachedBytes += entry.sizeBytes();
  }

  /** Takes note of an entry behind the last that is in a file and stays there; only while nothing is in memory. */
  void appendWritten(long index, long term) {
    if (index != lastIndex + 1 || cachedFrom != index) {
      throw new IllegalArgumentException("entry " + index + " does not follow " + lastIndex + ", or entries from " + cachedFrom + " on are in memory");
    }
    if (terms[termRuns - 1] != term) {
      startRun(index, term);
    }
    lastIndex = index;
    writtenIndex = index;
    cachedFrom = index + 1;
  }

  /** Forgets everything behind {@code index}, which may lie before the base (its term is given for that case). */
  void truncate(long index, long term) {
    if (index < baseIndex) {
      reset(index, term);
      return;
    }
    while (lastIndex > index && lastIndex >= cachedFrom) {
      cachedBytes -= ring[slot(lastIndex)].sizeBytes();
      ring[slot(lastIndex)] = null;
      lastIndex--;
    }
    lastIndex = Math.min(lastIndex, index);
    cachedFrom = Math.min(cachedFrom, lastIndex + 1);
    writtenIndex = Math.min(writtenIndex, index);
    while (termRuns > 1 && termStarts[termRuns - 1] > index) {
      termRuns--;
    }
  }

  /** Everything up to {@code index} is in the files: it may leave memory. */
  void written(long index) {
    writtenIndex = Math.min(index, lastIndex);
    while (cachedBytes > maxBytes && cachedFrom <= writtenIndex) {
      dropOldest();
    }
  }

  /** Forgets everything up to {@code index}. */
  void cut(long index) {
    if (index <= baseIndex || index > lastIndex) {
      return;
    }
    baseTerm = term(index);
    baseIndex = index;
    while (cachedFrom <= index) {
      dropOldest();
    }
    int run = 0;
    while (run + 1 < termRuns && termStarts[run + 1] <= index) {
      run++;
    }
    System.arraycopy(termStarts, run, termStarts, 0, termRuns - run);
    System.arraycopy(terms, run, terms, 0, termRuns - run);
    termRuns -= run;
    termStarts[0] = index;
  }

  /** Adds entries {@code [from, to)} that are in memory to {@code into} while the budget lasts; returns what is left of it. */
  long copy(long from, long to, long budget, List<Entry> into) {
    long left = budget;
    for (long i = from; i < to; i++) {
      Entry entry = ring[slot(i)];
      if (entry.sizeBytes() > left && !into.isEmpty()) {
        return 0;
      }
      left -= entry.sizeBytes();
      into.add(entry);
    }
    return Math.max(left, 0);
  }

  private void dropOldest() {
    Entry oldest = ring[slot(cachedFrom)];
    if (oldest != null && cachedFrom <= lastIndex) {
      cachedBytes -= oldest.sizeBytes();
      ring[slot(cachedFrom)] = null;
    }
    cachedFrom++;
  }

  private int slot(long index) {
    return (int) index & ring.length - 1;
  }

  private void grow() {
    Entry[] larger = new Entry[ring.length * 2];
    for (long i = cachedFrom; i < lastIndex; i++) {
      larger[(int) i & larger.length - 1] = ring[slot(i)];
    }
    ring = larger;
  }

  private void startRun(long index, long term) {
    if (termRuns == terms.length) {
      terms = Arrays.copyOf(terms, termRuns * 2);
      termStarts = Arrays.copyOf(termStarts, termRuns * 2);
    }
    termStarts[termRuns] = index;
    terms[termRuns++] = term;
  }
}
