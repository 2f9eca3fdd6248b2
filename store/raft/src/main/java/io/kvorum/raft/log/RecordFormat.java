package io.kvorum.raft.log;

import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.HardState;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/**
 * The bytes of one record. Header, 24 bytes: check sum (CRC32C of all that follows in the record), tag of the file's use, check sum of the record
 * before it, payload length, how
 * far the file was known to be durable when the record was written, type. Then the payload, then zeros up to a multiple of 8.
 *
 * <p>The tag and the chain keep records of an earlier use of a recycled file from ever counting. The durable length tells a torn write from damage:
 * a bad record at offset p is
 * a torn tail unless some later record says that the file was durable beyond p.
 */
final class RecordFormat {
  static final int HEADER_BYTES = 24;
  static final int ENTRY_HEADER_BYTES = 8 + 8 + 1 + 4;
  static final int ENTRIES_HEADER_BYTES = 8 + 4;

  /** What a record holds. The codes are part of the format. */
  enum Type {
    /** First index, count, then each entry: term, time, type, length, data. */
    ENTRIES(1),
    /** Term, vote, commit. */
    STATE(2),
    /** New last index and its term: everything behind it is void. */
    TRUNCATE(3),
    /** The next file exists. */
    END(4);

    final byte code;

    Type(int code) {
      this.code = (byte) code;
    }

    static Type of(byte code) {
      return code >= 1 && code <= 4 ? values()[code - 1] : null;
    }
  }

  private static final int TAG_AT = 4;
  private static final int PREVIOUS_AT = 8;
  private static final int LENGTH_AT = 12;
  private static final int FORCED_AT = 16;
  private static final int TYPE_AT = 20;

  private RecordFormat() {}

  /** Size of a record on disk. */
  static int recordBytes(int payloadBytes) {
    return (HEADER_BYTES + payloadBytes + 7) & ~7;
  }

  /** Closes a record whose payload ends at the buffer's position: pads it, fills in the header at {@code start} and returns the check sum. */
  static int finish(ByteBuffer out, int start, Type type, int tag, int previous, int forced) {
    int length = out.position() - start - HEADER_BYTES;
    while ((out.position() - start & 7) != 0) {
      out.put((byte) 0);
    }
    out.putInt(start + TAG_AT, tag).putInt(start + PREVIOUS_AT, previous).putInt(start + LENGTH_AT, length).putInt(start + FORCED_AT, forced);
    out.putInt(start + TYPE_AT, type.code << 24);
    int crc = crc(out, start, length);
    out.putInt(start, crc);
    return crc;
  }

  static void putEntry(ByteBuffer out, Entry entry) {
    out.putLong(entry.term()).putLong(entry.timeMillis()).put((byte) entry.type().ordinal()).putInt(entry.data().length).put(entry.data());
  }

  static void putState(ByteBuffer out, HardState state) {
    out.putLong(state.term()).putLong(state.vote()).putLong(state.commit());
  }

  /** Check sum over a record's header (but the sum itself) and payload. */
  static int crc(ByteBuffer in, int start, int length) {
    CRC32C crc = new CRC32C();
    crc.update(in.duplicate().limit(start + HEADER_BYTES + length).position(start + TAG_AT));
    return (int) crc.getValue();
  }

  static int tag(ByteBuffer in, int start) {
    return in.getInt(start + TAG_AT);
  }

  static int storedCrc(ByteBuffer in, int start) {
    return in.getInt(start);
  }

  static int previous(ByteBuffer in, int start) {
    return in.getInt(start + PREVIOUS_AT);
  }

  static int length(ByteBuffer in, int start) {
    return in.getInt(start + LENGTH_AT);
  }

  static int forced(ByteBuffer in, int start) {
    return in.getInt(start + FORCED_AT);
  }

  static Type type(ByteBuffer in, int start) {
    return Type.of(in.get(start + TYPE_AT));
  }

  /** The entry at the buffer's position; moves behind it. */
  static Entry getEntry(ByteBuffer in, long index) {
    long term = in.getLong();
    long time = in.getLong();
    EntryType type = EntryType.values()[in.get()];
    byte[] data = new byte[in.getInt()];
    in.get(data);
    return new Entry(term, index, type, time, data);
  }

  /** Term of the entry at the buffer's position. */
  static long entryTerm(ByteBuffer in) {
    return in.getLong(in.position());
  }

  /** Moves behind the entry at the buffer's position without copying it. */
  static void skipEntry(ByteBuffer in) {
    int length = in.getInt(in.position() + ENTRY_HEADER_BYTES - 4);
    in.position(in.position() + ENTRY_HEADER_BYTES + length);
  }

  static HardState getState(ByteBuffer in) {
    return new HardState(in.getLong(), in.getLong(), in.getLong());
  }
}
