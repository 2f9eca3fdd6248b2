package io.kvorum.mvcc.segment;

/** Walks the keys of one segment in order. */
interface KeyCursor {
  /** Moves to the next key; false at the end. */
  boolean next();

  byte[] key();

  /** Number of records of this key. */
  int positions();

  /** Position of one of them, in revision order. */
  int position(int index);
}
