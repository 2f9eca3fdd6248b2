package io.kvorum.raft.log;

import io.kvorum.raft.HardState;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * The first bytes of a segment file. They are durable before the file gets its name, so a named file with a damaged header is damage, never a torn
 * write.
 *
 * @param sequence number of the file, from 1, without gaps; also its name
 * @param identity random number of this use of the file
 * @param previousEnd where the records of the previous file end; damage before it is not a torn tail. 0 for the first file and after a reset
 * @param previousCrc check sum of the previous file's last record
 * @param baseIndex last index of the log when the file was begun
 * @param baseTerm its term
 * @param hardState newest hard state when the file was begun, so that older files can go
 * @param reset the log begins anew here (after a snapshot was installed): older files do not count
 */
record SegmentHeader(
    long sequence, long identity, long previousEnd, int previousCrc, long baseIndex, long baseTerm, HardState hardState, boolean reset) {
  /** Bytes before the first record. */
  static final int BYTES = 512;

  private static final long MAGIC = 0x4b564f52554d4c47L; // "KVORUMLG"
  private static final int VERSION = 1;
  private static final int CRC_AT = 88;

  /** Marks each record of this use of the file. */
  int tag() {
    int folded = (int) (identity ^ (identity >>> 32));
    return folded == 0 ? 1 : folded;
  }

  /** The value to which the first record is chained. */
  int seed() {
    return crc(encode());
  }

  ByteBuffer encode() {
    ByteBuffer out = ByteBuffer.allocate(BYTES);
    out.putLong(MAGIC).putInt(VERSION).putInt(reset ? 1 : 0).putLong(sequence).putLong(identity);
    out.putLong(previousEnd).putInt(previousCrc).putInt(0).putLong(baseIndex).putLong(baseTerm);
    out.putLong(hardState.term()).putLong(hardState.vote()).putLong(hardState.commit());
    out.putInt(CRC_AT, crc(out));
    return out.position(0);
  }

  static SegmentHeader decode(ByteBuffer in, Path file) throws LogCorruptException {
    if (in.remaining() < BYTES || in.getLong(0) != MAGIC || in.getInt(CRC_AT) != crc(in)) {
      throw new LogCorruptException(file, 0, "the file header is damaged");
    }
    if (in.getInt(8) != VERSION) {
      throw new LogCorruptException(file, 8, "unknown format version " + in.getInt(8));
    }
    HardState state = new HardState(in.getLong(64), in.getLong(72), in.getLong(80));
    return new SegmentHeader(in.getLong(16), in.getLong(24), in.getLong(32), in.getInt(40), in.getLong(48), in.getLong(56), state, in.getInt(12) == 1);
  }

  private static int crc(ByteBuffer header) {
    CRC32C crc = new CRC32C();
    crc.update(header.duplicate().position(0).limit(CRC_AT));
    return (int) crc.getValue();
  }

  static String fileName(long sequence) {
    return String.format("%016x.log", sequence);
  }

  /** The number in a file's name, or -1 if the name is not a segment's. */
  static long sequenceOf(String fileName) {
    if (!fileName.matches("[0-9a-f]{16}\\.log")) {
      return -1;
    }
    return Long.parseUnsignedLong(fileName.substring(0, 16), 16);
  }
}
