package io.kvorum.bbolt;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What a meta page says.
 *
 * @param pageSize bytes, a power of two from 1,024
 * @param root page of the directory of buckets
 * @param pages pages in use, from page 0 on: all others are rubbish
 * @param transaction number of the transaction that wrote it; of two sound metas the higher one counts
 */
public record Meta(int pageSize, long root, long pages, long transaction) {
  /** Bytes of a meta page that mean something. */
  static final int BYTES = Page.HEADER_BYTES + 64;

  private static final int MAGIC = 0xED0CDAED;
  private static final int VERSION = 2;

  /** In place of the page that lists free pages: there is none, whoever needs the list walks the tree. */
  private static final long NO_FREELIST = -1;

  private static final int CHECKSUMMED_BYTES = 56;
  private static final long FNV_START = 0xCBF29CE484222325L;
  private static final long FNV_PRIME = 0x100000001B3L;

  /**
   * The whole page.
   *
   * @param id 0 or 1
   */
  ByteBuffer encode(int id) {
    ByteBuffer page = ByteBuffer.allocate(pageSize).order(ByteOrder.LITTLE_ENDIAN);
    Page.header(page, id, Page.META, 0, 0);
    page.putInt(MAGIC).putInt(VERSION).putInt(pageSize).putInt(0);
    page.putLong(root).putLong(0).putLong(NO_FREELIST).putLong(pages).putLong(transaction);
    page.putLong(checksum(page));
    return page.clear();
  }

  /**
   * Reads one.
   *
   * @param page at least {@link #BYTES} from its beginning, little-endian
   * @return null when magic, version or checksum are not those of a meta page
   */
  static Meta decode(ByteBuffer page) {
    int at = Page.HEADER_BYTES;
    boolean sound = page.getInt(at) == MAGIC && page.getInt(at + 4) == VERSION && page.getLong(at + CHECKSUMMED_BYTES) == checksum(page);
    return sound ? new Meta(page.getInt(at + 8), page.getLong(at + 16), page.getLong(at + 40), page.getLong(at + 48)) : null;
  }

  /** FNV-1a over the fields before the checksum. */
  private static long checksum(ByteBuffer page) {
    long hash = FNV_START;
    for (int i = 0; i < CHECKSUMMED_BYTES; i++) {
      hash = (hash ^ page.get(Page.HEADER_BYTES + i) & 0xff) * FNV_PRIME;
    }
    return hash;
  }
}
