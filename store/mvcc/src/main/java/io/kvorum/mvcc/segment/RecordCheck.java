package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.StoreCorruptException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/** Copies records out of a segment and compares each with its checksum. Keeps one buffer as large as the largest record met. Not thread-safe. */
final class RecordCheck {
  private final CRC32C crc = new CRC32C();
  private byte[] buffer = new byte[64 << 10];

  /**
   * @param segment sealed
   * @return the encoding in the first {@code length(position)} bytes, valid until the next call
   * @throws StoreCorruptException naming the segment's file
   */
  byte[] read(Segment segment, int position, Path directory) throws StoreCorruptException {
    OffsetTable table = segment.table();
    byte[] encoded = read(segment.bytes(), table.offset(position), table.length(position));
    if (!matches(table.length(position), table.crc(position))) {
      throw new StoreCorruptException(
          directory.resolve(segment.info().dataName()),
          "checksum mismatch of the record at revision " + table.main(position) + "." + table.sub(position));
    }
    return encoded;
  }

  byte[] read(MemorySegment bytes, long offset, int length) {
    if (length > buffer.length) {
      buffer = new byte[length];
    }
    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, offset, buffer, 0, length);
    return buffer;
  }

  /** Whether what was read last has this checksum. */
  boolean matches(int length, int expected) {
    crc.reset();
    crc.update(buffer, 0, length);
    return (int) crc.getValue() == expected;
  }
}
