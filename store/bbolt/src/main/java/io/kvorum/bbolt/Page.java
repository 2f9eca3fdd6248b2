package io.kvorum.bbolt;

import java.nio.ByteBuffer;

/**
 * The header of a page and the sizes of what follows it. A node that does not fit into one page goes on in the pages behind it, which have no header.
 *
 * <p>Header: id 8, flags 2, count of elements 2, pages more than one 4. Then the elements, each 16 bytes and pointing (from its own first byte) at its key, then all keys and
 * values one after the other.
 */
final class Page {
  static final int HEADER_BYTES = 16;
  static final int ELEMENT_BYTES = 16;
  static final int BRANCH = 0x01;
  static final int LEAF = 0x02;
  static final int META = 0x04;

  /** Elements of one page at most. */
  static final int ELEMENTS_MAX = 0xFFFE;

  /** A leaf element whose value is a bucket. */
  static final int BUCKET_ELEMENT = 1;

  /** The value of such an element: root page 8 (0: a leaf page follows in the value itself), sequence 8. */
  static final int BUCKET_HEADER_BYTES = 16;

  static final int KEY_BYTES_MAX = 32_768;

  private Page() {}

  /** Writes a header; the buffer is little-endian. */
  static void header(ByteBuffer into, long id, int flags, int count, int overflow) {
    into.putLong(id).putShort((short) flags).putShort((short) count).putInt(overflow);
  }
}
