package io.kvorum.bbolt;

import java.nio.ByteBuffer;

/** The elements of one node. Every position is checked before it is used. */
final class NodeReader {
  static final int OVERFLOW_OFFSET = 12;

  private static final int FLAGS_OFFSET = 8;
  private static final int COUNT_OFFSET = 10;

  private final long id;
  private final ByteBuffer bytes;
  private final boolean branch;
  private final int count;

  /**
   * @param bytes the whole node with its header, little-endian
   * @throws BoltFormatException when it is neither branch nor leaf, or too short for its elements
   */
  NodeReader(long id, ByteBuffer bytes) throws BoltFormatException {
    this.id = id;
    this.bytes = bytes;
    if (bytes.capacity() < Page.HEADER_BYTES) {
      throw new BoltFormatException("page " + id + " has no header");
    }
    int flags = Short.toUnsignedInt(bytes.getShort(FLAGS_OFFSET));
    if (flags != Page.BRANCH && flags != Page.LEAF) {
      throw new BoltFormatException("page " + id + " has flags " + flags + ", a branch or a leaf was expected");
    }
    this.branch = flags == Page.BRANCH;
    this.count = Short.toUnsignedInt(bytes.getShort(COUNT_OFFSET));
    if (count > Page.ELEMENTS_MAX || Page.HEADER_BYTES + (long) count * Page.ELEMENT_BYTES > bytes.capacity()) {
      throw new BoltFormatException("page " + id + " cannot hold " + count + " elements");
    }
  }

  long id() {
    return id;
  }

  boolean isBranch() {
    return branch;
  }

  int count() {
    return count;
  }

  private static int element(int i) {
    return Page.HEADER_BYTES + i * Page.ELEMENT_BYTES;
  }

  /** Of a leaf's element. */
  int flags(int i) {
    return bytes.getInt(element(i));
  }

  /** Of a branch's element. */
  long child(int i) {
    return bytes.getLong(element(i) + 8);
  }

  byte[] key(int i) throws BoltFormatException {
    int at = element(i);
    long length = Integer.toUnsignedLong(bytes.getInt(at + (branch ? 4 : 8)));
    if (length == 0 || length > Page.KEY_BYTES_MAX) {
      throw new BoltFormatException("page " + id + " has a key of " + length + " bytes");
    }
    byte[] key = new byte[(int) length];
    bytes.get(checked(keyOffset(i), length), key);
    return key;
  }

  /** A slice of the page. */
  ByteBuffer value(int i) throws BoltFormatException {
    int at = element(i);
    long keyLength = Integer.toUnsignedLong(bytes.getInt(at + 8));
    long length = Integer.toUnsignedLong(bytes.getInt(at + 12));
    return bytes.slice(checked(keyOffset(i) + keyLength, length), (int) length);
  }

  private long keyOffset(int i) {
    int at = element(i);
    return at + Integer.toUnsignedLong(bytes.getInt(at + (branch ? 0 : 4)));
  }

  private int checked(long offset, long length) throws BoltFormatException {
    if (offset + length > bytes.capacity()) {
      throw new BoltFormatException("page " + id + " points behind its end");
    }
    return (int) offset;
  }
}
