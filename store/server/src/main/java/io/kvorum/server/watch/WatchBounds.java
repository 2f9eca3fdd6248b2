package io.kvorum.server.watch;

/**
 * How much of anything.
 *
 * @param streamResponses responses that wait for one slow client
 * @param streamBytes bytes that wait for one slow client; a single response may be larger
 * @param sliceRevisions distinct main revisions in one slice of history, and so in one response from history
 * @param sliceBytes bytes of records in one slice of history, at least one revision
 * @param cohort watchers that share a slice
 * @param fragmentBytes responses of this size or more are split for clients that ask for it
 */
record WatchBounds(int streamResponses, long streamBytes, int sliceRevisions, long sliceBytes, int cohort, long fragmentBytes) {
  /** A slice stays below the 4 MiB that some clients accept by default, also with previous pairs. */
  static WatchBounds standard(long fragmentBytes) {
    return new WatchBounds(4_096, 1 << 20, 1_000, 1 << 20, 512, fragmentBytes);
  }
}
