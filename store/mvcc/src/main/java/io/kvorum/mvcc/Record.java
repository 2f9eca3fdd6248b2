package io.kvorum.mvcc;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;

/**
 * One stored revision of one key: the encoded {@code mvccpb.KeyValue}, exactly as it goes over the wire, somewhere off-heap (or on-heap while young).
 * Valid only while the view that returned it is open. For a tombstone the encoding holds only key and mod_revision.
 */
public interface Record {
  /** Main revision. */
  long main();

  /** Sub-revision within the main one, from 0. */
  long sub();

  boolean tombstone();

  /** Bytes of the encoding. */
  int length();

  /** The encoding itself, zero copy. */
  MemorySegment bytes();

  /** Writes the encoding; copies through a bounded scratch buffer, never the whole record at once on the heap. */
  void writeTo(OutputStream out) throws IOException;

  byte[] toByteArray();

  byte[] key();

  long createRevision();

  long version();

  long lease();

  /** A copy of the value. */
  byte[] value();

  default long modRevision() {
    return main();
  }
}
