package io.kvorum.mvcc.segment;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * A segment as it is shipped and named: its records in revision order, free of how the local file is laid out, so that equal records give equal bytes on every
 * member. Made up on the fly from the mapping, at any offset; cheapest when read in order. Not thread-safe.
 *
 * <p>Format 1, big endian: magic, format and number of records (ints), payload bytes (long), 8 bytes of zero; a row per record: main, lease, sub, length (bit 31:
 * tombstone), CRC-32C; then the encodings.
 */
final class RecordStream {
  static final long MAGIC = 0x4b56524543530001L;
  static final int FORMAT = 1;
  static final int HEADER_BYTES = 32;
  static final int ROW_BYTES = 28;
  private static final int BLOCK_BYTES = 64 << 10;
  private static final int NAME_BYTES = 16;

  /** @param content name by content, @param bytes length, @param crc CRC-32C */
  record Identity(String content, long bytes, int crc) {}

  private final OffsetTable table;
  private final MemorySegment bytes;
  private final int count;
  private final long payloadBytes;
  private final ByteBuffer scratch = ByteBuffer.allocate(HEADER_BYTES).order(ByteOrder.BIG_ENDIAN);

  /** The record that the last read ended in, and where its encoding begins in the payload. */
  private int cursor;

  private long cursorStart;

  RecordStream(OffsetTable table, MemorySegment bytes) {
    this.table = table;
    this.bytes = bytes;
    this.count = table.count();
    this.payloadBytes = SideFileWriter.payloadBytes(table);
  }

  long length() {
    return HEADER_BYTES + (long) ROW_BYTES * count + payloadBytes;
  }

  /**
   * Name, length and checksum of the whole stream.
   *
   * @param between called between blocks, to rest
   */
  Identity identity(Runnable between) {
    CRC32C crc = new CRC32C();
    MessageDigest digest = sha256();
    ByteBuffer block = ByteBuffer.allocate(BLOCK_BYTES);
    for (long at = 0; at < length(); at += block.limit()) {
      block.clear();
      read(at, block);
      block.flip();
      crc.update(block.array(), 0, block.limit());
      digest.update(block.array(), 0, block.limit());
      between.run();
    }
    return new Identity(name(digest), length(), (int) crc.getValue());
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  static String name(MessageDigest digest) {
    return HexFormat.of().formatHex(digest.digest(), 0, NAME_BYTES);
  }

  /**
   * Fills the buffer from an offset on.
   *
   * @return bytes read, -1 at the end
   */
  int read(long offset, ByteBuffer into) {
    if (offset >= length()) {
      return -1;
    }
    int before = into.position();
    long at = offset;
    long payloadAt = HEADER_BYTES + (long) ROW_BYTES * count;
    while (into.hasRemaining() && at < length()) {
      if (at < HEADER_BYTES) {
        at += copyPart(header(), (int) at, into);
      } else if (at < payloadAt) {
        long inRows = at - HEADER_BYTES;
        at += copyPart(row((int) (inRows / ROW_BYTES)), (int) (inRows % ROW_BYTES), into);
      } else {
        at += copyPayload(at - payloadAt, into);
      }
    }
    return into.position() - before;
  }

  private ByteBuffer header() {
    return scratch.clear().putLong(MAGIC).putInt(FORMAT).putInt(count).putLong(payloadBytes).putLong(0).flip();
  }

  private ByteBuffer row(int position) {
    int length = table.length(position) | (table.tombstone(position) ? 1 << 31 : 0);
    scratch.clear().putLong(table.main(position)).putLong(table.lease(position)).putInt(table.sub(position));
    return scratch.putInt(length).putInt(table.crc(position)).flip();
  }

  private static int copyPart(ByteBuffer part, int from, ByteBuffer into) {
    int step = Math.min(part.limit() - from, into.remaining());
    into.put(into.position(), part, from, step).position(into.position() + step);
    return step;
  }

  private int copyPayload(long offset, ByteBuffer into) {
    if (offset < cursorStart) {
      cursor = 0;
      cursorStart = 0;
    }
    while (offset >= cursorStart + table.length(cursor)) {
      cursorStart += table.length(cursor++);
    }
    int inside = (int) (offset - cursorStart);
    int step = Math.min(table.length(cursor) - inside, into.remaining());
    long source = table.offset(cursor) + inside;
    if (into.hasArray()) {
      MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, source, into.array(), into.arrayOffset() + into.position(), step);
    } else {
      MemorySegment.copy(bytes, source, MemorySegment.ofBuffer(into), 0, step);
    }
    into.position(into.position() + step);
    return step;
  }
}
