package io.kvorum.mvcc.segment;

import java.util.Arrays;

/**
 * The offset table of the segment that is being written. One thread adds; readers on any thread first read the count (volatile, written last), then arrays that
 * hold at least that many positions: an array is replaced by a longer copy and never shrinks.
 */
final class ActiveTable implements OffsetTable {
  private static final int INITIAL = 256;
  private static final int TOMBSTONE = 1 << 31;

  /** A jump of main revisions beyond this many (or four times the records) ends subtraction; searching takes over. */
  static final int GAP_MAX = 1024;

  /** Main revisions that one table can hold. */
  static final int SPAN_MAX = Integer.MAX_VALUE - 8;

  private volatile int count;
  private long firstMain;
  private int[] mainDeltas = new int[INITIAL];
  private int[] subs = new int[INITIAL];
  private int[] offsets = new int[INITIAL];
  private int[] lengths = new int[INITIAL];
  private int[] crcs = new int[INITIAL];

  /** Null until a record has a lease. */
  private long[] leases;

  /** Position of the first record at or above first main + index; complete up to the last main unless sparse. */
  private int[] starts = new int[INITIAL];

  private int startCount;
  private long payloadBytes;
  private boolean sparse;

  /** Whether the revision's distance to the first one can be expressed. */
  boolean spans(long main) {
    return count == 0 || main - firstMain < SPAN_MAX;
  }

  void add(long main, int sub, long offset, int length, boolean tombstone, int crc, long lease) {
    int position = count;
    if (position == 0) {
      firstMain = main;
    }
    if (position == mainDeltas.length) {
      grow();
    }
    int delta = (int) (main - firstMain);
    addStarts(delta, position);
    mainDeltas[position] = delta;
    subs[position] = sub;
    offsets[position] = (int) offset;
    lengths[position] = tombstone ? length | TOMBSTONE : length;
    crcs[position] = crc;
    if (lease != 0 && leases == null) {
      leases = new long[mainDeltas.length];
    }
    if (leases != null) {
      leases[position] = lease;
    }
    payloadBytes += length;
    count = position + 1;
  }

  /** Sum of the lengths. */
  long payloadBytes() {
    // Read first, so that the sum is at least as new as the count.
    return count == 0 ? 0 : payloadBytes;
  }

  private void addStarts(int delta, int position) {
    if (sparse || delta < startCount) {
      return;
    }
    if (delta > GAP_MAX + 4 * position) {
      sparse = true;
      return;
    }
    if (delta >= starts.length) {
      starts = Arrays.copyOf(starts, Math.max(delta + 1, starts.length * 2));
    }
    while (startCount <= delta) {
      starts[startCount++] = position;
    }
  }

  private void grow() {
    int length = mainDeltas.length * 2;
    mainDeltas = Arrays.copyOf(mainDeltas, length);
    subs = Arrays.copyOf(subs, length);
    offsets = Arrays.copyOf(offsets, length);
    lengths = Arrays.copyOf(lengths, length);
    crcs = Arrays.copyOf(crcs, length);
    if (leases != null) {
      leases = Arrays.copyOf(leases, length);
    }
  }

  @Override
  public int count() {
    return count;
  }

  @Override
  public long main(int position) {
    return firstMain + mainDeltas[position];
  }

  @Override
  public int sub(int position) {
    return subs[position];
  }

  @Override
  public long offset(int position) {
    return Integer.toUnsignedLong(offsets[position]);
  }

  @Override
  public int length(int position) {
    return lengths[position] & ~TOMBSTONE;
  }

  @Override
  public boolean tombstone(int position) {
    return lengths[position] < 0;
  }

  @Override
  public int crc(int position) {
    return crcs[position];
  }

  @Override
  public long lease(int position) {
    long[] known = leases;
    return known == null || position >= known.length ? 0 : known[position];
  }

  @Override
  public int firstGuess(long main) {
    return sparse ? 0 : starts[(int) (main - firstMain)];
  }
}
