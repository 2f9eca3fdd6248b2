package io.kvorum.raft;

/**
 * One entry of the replicated log. The array is owned by the entry and never written again.
 *
 * @param term term of the leader that created it, from 1
 * @param index position in the log, from 1, without gaps
 * @param type what {@code data} is
 * @param timeMillis the creating leader's wall clock, milliseconds since the epoch; for restore by time, never used by apply
 * @param data the encoded request, empty for a leader's first entry
 */
public record Entry(long term, long index, EntryType type, long timeMillis, byte[] data) {
  /** Bytes that this entry counts for in every bound on memory, disk batches and messages. */
  public int sizeBytes() {
    return data.length + 32;
  }
}
