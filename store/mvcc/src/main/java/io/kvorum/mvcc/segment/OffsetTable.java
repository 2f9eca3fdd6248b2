package io.kvorum.mvcc.segment;

/**
 * Where each record of one segment lies, by position in revision order. Any thread may read positions below {@link #count}, which only grows.
 */
interface OffsetTable {
  int count();

  long main(int position);

  int sub(int position);

  /** Offset of the encoding in the segment's file. */
  long offset(int position);

  /** Bytes of the encoding. */
  int length(int position);

  boolean tombstone(int position);

  /** CRC-32C of the encoding. */
  int crc(int position);

  /** 0 for none. */
  long lease(int position);

  /** Position of a revision, -1 if it is not here. */
  default int positionOf(long main, int sub) {
    int count = count();
    if (count == 0 || main < main(0) || main > main(count - 1)) {
      return -1;
    }
    int low = firstGuess(main);
    // Subs are dense until a rewrite drops some.
    int exact = low + sub;
    if (exact >= 0 && exact < count && main(exact) == main && sub(exact) == sub) {
      return exact;
    }
    int found = lowerBound(main, sub, low, count);
    return found < count && main(found) == main && sub(found) == sub ? found : -1;
  }

  /** First position at or above a revision, {@link #count} if there is none. */
  default int lowerBound(long main, int sub) {
    return lowerBound(main, sub, 0, count());
  }

  /** A position at or below the first one of this main revision, exact where main revisions are dense; main is between the first and the last. */
  int firstGuess(long main);

  private int lowerBound(long main, int sub, int from, int to) {
    int low = from;
    int high = to;
    while (low < high) {
      int middle = (low + high) >>> 1;
      long at = main(middle);
      if (at < main || at == main && sub(middle) < sub) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
