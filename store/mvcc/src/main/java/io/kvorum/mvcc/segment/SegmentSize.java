package io.kvorum.mvcc.segment;

/**
 * Capacity of a segment file.
 *
 * @param chunks 16-byte chunks for records
 * @param entries most records
 */
record SegmentSize(long chunks, long entries) {
  private static final int SMALL_BYTES = 256 << 10;
  private static final int MEDIUM_BYTES = 4 << 20;
  private static final int LARGE_BYTES = 64 << 20;

  /** From these sizes of the store on, the next size class is used: a store then has at most a few files of each small class. */
  private static final long MEDIUM_FROM_BYTES = 1L << 20;

  private static final long LARGE_FROM_BYTES = 32L << 20;
  private static final int ENTRIES_MIN = 64;
  private static final int CHUNKS_PER_RECORD_MIN = 4;
  private static final int CHUNKS_PER_RECORD_MAX = 64;

  /** Chunks of a record while nothing is known about the records to come. */
  static final double CHUNKS_PER_RECORD_GUESS = 8;

  /** The small class: for the reserve, and for a new store. */
  static SegmentSize small() {
    return of(SMALL_BYTES, CHUNKS_PER_RECORD_GUESS);
  }

  /**
   * The next file of a growing store. A file of the large class is followed by one of the middle class, which takes the writes until the checkpoint
   * that the large one asks for, so that the tail which a checkpoint must seal is short.
   *
   * @param storeBytes bytes of records held
   * @param previousChunks chunks of the file before it, 0 for none
   * @param chunksPerRecord average so far
   */
  static SegmentSize next(long storeBytes, long previousChunks, double chunksPerRecord) {
    if (storeBytes < MEDIUM_FROM_BYTES) {
      return of(SMALL_BYTES, chunksPerRecord);
    }
    boolean large = storeBytes >= LARGE_FROM_BYTES && previousChunks < LARGE_BYTES / ChunkBudget.CHUNK_BYTES;
    return of(large ? LARGE_BYTES : MEDIUM_BYTES, chunksPerRecord);
  }

  /** Exactly enough for a known number of records. */
  static SegmentSize exact(long chunks, long entries) {
    return new SegmentSize(Math.max(chunks, ENTRIES_MIN), Math.max(entries, ENTRIES_MIN));
  }

  /** This size, or one cut for a record that does not fit it. */
  SegmentSize atLeast(int valueBytes) {
    long needed = ChunkBudget.chunksOf(valueBytes);
    return needed <= chunks ? this : exact(needed, ENTRIES_MIN);
  }

  private static SegmentSize of(int bytes, double chunksPerRecord) {
    long chunks = bytes / ChunkBudget.CHUNK_BYTES;
    double perRecord = Math.clamp(chunksPerRecord * 0.75, CHUNKS_PER_RECORD_MIN, CHUNKS_PER_RECORD_MAX);
    return exact(chunks, (long) (chunks / perRecord));
  }

  /** Upper estimate of the file's bytes: chunks, hash slots (at most 40 bytes an entry) and headers. */
  long fileBytesEstimate() {
    return chunks * ChunkBudget.CHUNK_BYTES + 20 * entries + (16 << 10);
  }
}
