package io.kvorum.mvcc.segment;

/**
 * What fits into one segment file, counted by us before each put: Chronicle Map's own gauges are wrong or slow, and a full map throws. The map is built with
 * one internal segment, 16-byte chunks, no tiering and no bloat, so the count is exact to the last chunk. Not thread-safe.
 */
final class ChunkBudget {
  static final int CHUNK_BYTES = 16;
  private static final int KEY_BYTES = 16;
  private static final int CHECKSUM_BYTES = 4;

  private final long chunks;
  private final long entries;
  private long chunksUsed;
  private long entriesUsed;

  ChunkBudget(long chunks, long entries) {
    this.chunks = chunks;
    this.entries = entries;
  }

  /** Chunks that a record of this many value bytes takes: key, length of the value (7 bits a byte), value, checksum. */
  static long chunksOf(int valueBytes) {
    return ((long) KEY_BYTES + lengthBytes(valueBytes) + valueBytes + CHECKSUM_BYTES + CHUNK_BYTES - 1) / CHUNK_BYTES;
  }

  private static int lengthBytes(int length) {
    int bytes = 1;
    for (int rest = length >>> 7; rest != 0; rest >>>= 7) {
      bytes++;
    }
    return bytes;
  }

  boolean fits(int valueBytes) {
    return entriesUsed < entries && chunksUsed + chunksOf(valueBytes) <= chunks;
  }

  void take(int valueBytes) {
    if (!fits(valueBytes)) {
      throw new IllegalStateException("a record of " + valueBytes + " bytes exceeds the budget: " + chunksUsed + " of " + chunks + " chunks used");
    }
    chunksUsed += chunksOf(valueBytes);
    entriesUsed++;
  }

  long chunksUsed() {
    return chunksUsed;
  }

  long entriesUsed() {
    return entriesUsed;
  }

  /** Used share of the scarcer of both, 0 to 1. */
  double fill() {
    return Math.max((double) chunksUsed / chunks, (double) entriesUsed / entries);
  }
}
