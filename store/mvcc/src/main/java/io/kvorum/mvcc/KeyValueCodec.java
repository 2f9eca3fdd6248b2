package io.kvorum.mvcc;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The encoding of {@code mvccpb.KeyValue} by hand, byte for byte protobuf's canonical one: fields ascending, zero values omitted. Field numbers: key 1,
 * create_revision 2, mod_revision 3, version 4, value 5, lease 6.
 */
public final class KeyValueCodec {
  static final int KEY_TAG = 1 << 3 | 2;
  static final int CREATE_TAG = 2 << 3;
  static final int MOD_TAG = 3 << 3;
  static final int VERSION_TAG = 4 << 3;
  static final int VALUE_TAG = 5 << 3 | 2;
  static final int LEASE_TAG = 6 << 3;

  private KeyValueCodec() {}

  /** Encodes a live pair. A negative lease takes ten bytes, as in protobuf. */
  public static byte[] put(byte[] key, long createRevision, long modRevision, long version, byte[] value, long lease) {
    int numbers = numberSize(createRevision) + numberSize(modRevision) + numberSize(version) + numberSize(lease);
    byte[] out = new byte[bytesSize(key) + numbers + bytesSize(value)];
    int at = writeBytes(out, 0, KEY_TAG, key);
    at = writeNumber(out, at, CREATE_TAG, createRevision);
    at = writeNumber(out, at, MOD_TAG, modRevision);
    at = writeNumber(out, at, VERSION_TAG, version);
    at = writeBytes(out, at, VALUE_TAG, value);
    writeNumber(out, at, LEASE_TAG, lease);
    return out;
  }

  /** Encodes a deletion: key and mod_revision only. */
  public static byte[] tombstone(byte[] key, long modRevision) {
    byte[] out = new byte[bytesSize(key) + numberSize(modRevision)];
    int at = writeBytes(out, 0, KEY_TAG, key);
    writeNumber(out, at, MOD_TAG, modRevision);
    return out;
  }

  /** The record as etcd stores it: the encoding, of a deletion the key alone. Does not touch the bytes. */
  public static MemorySegment row(Record record) {
    return record.tombstone() ? record.bytes().asSlice(0, record.length() - numberSize(record.main())) : record.bytes();
  }

  /**
   * The fields of one encoding, as positions in it.
   *
   * @param keyOffset first byte of the key
   * @param keyLength bytes of the key
   * @param valueOffset first byte of the value
   * @param valueLength bytes of the value
   */
  public record Fields(
      int keyOffset, int keyLength, long createRevision, long modRevision, long version, int valueOffset, int valueLength, long lease) {}

  /**
   * Reads the fields without copying key or value.
   *
   * @throws IllegalArgumentException if the bytes are not an encoding made by this class
   */
  public static Fields parse(MemorySegment encoded) {
    Parser parser = new Parser(encoded);
    parser.run();
    return new Fields(
        parser.keyOffset, parser.keyLength, parser.create, parser.mod, parser.version, parser.valueOffset, parser.valueLength, parser.lease);
  }

  /** Bytes of a base-128 varint. */
  public static int varintSize(long value) {
    return value == 0 ? 1 : (70 - Long.numberOfLeadingZeros(value)) / 7;
  }

  /**
   * Writes a base-128 varint.
   *
   * @return the position behind it
   */
  public static int writeVarint(byte[] out, int at, long value) {
    long rest = value;
    int position = at;
    while ((rest & ~0x7fL) != 0) {
      out[position++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    out[position++] = (byte) rest;
    return position;
  }

  private static int bytesSize(byte[] value) {
    return value.length == 0 ? 0 : 1 + varintSize(value.length) + value.length;
  }

  private static int numberSize(long value) {
    return value == 0 ? 0 : 1 + varintSize(value);
  }

  private static int writeNumber(byte[] out, int at, int tag, long value) {
    if (value == 0) {
      return at;
    }
    out[at] = (byte) tag;
    return writeVarint(out, at + 1, value);
  }

  private static int writeBytes(byte[] out, int at, int tag, byte[] value) {
    if (value.length == 0) {
      return at;
    }
    out[at] = (byte) tag;
    int position = writeVarint(out, at + 1, value.length);
    System.arraycopy(value, 0, out, position, value.length);
    return position + value.length;
  }

  /** One pass over an encoding. */
  private static final class Parser {
    private final MemorySegment in;
    private long at;
    private int keyOffset;
    private int keyLength;
    private long create;
    private long mod;
    private long version;
    private int valueOffset;
    private int valueLength;
    private long lease;

    Parser(MemorySegment in) {
      this.in = in;
    }

    void run() {
      long size = in.byteSize();
      while (at < size) {
        int tag = in.get(ValueLayout.JAVA_BYTE, at++);
        switch (tag) {
          case KEY_TAG -> {
            keyLength = length(size);
            keyOffset = (int) at;
            at += keyLength;
          }
          case CREATE_TAG -> create = varint(size);
          case MOD_TAG -> mod = varint(size);
          case VERSION_TAG -> version = varint(size);
          case VALUE_TAG -> {
            valueLength = length(size);
            valueOffset = (int) at;
            at += valueLength;
          }
          case LEASE_TAG -> lease = varint(size);
          default -> throw damaged("field tag " + tag);
        }
      }
    }

    private int length(long size) {
      long length = varint(size);
      if (length < 0 || length > size - at) {
        throw damaged("length " + length);
      }
      return (int) length;
    }

    private long varint(long size) {
      long value = 0;
      for (int shift = 0; shift < 70 && at < size; shift += 7) {
        byte next = in.get(ValueLayout.JAVA_BYTE, at++);
        value |= (long) (next & 0x7f) << shift;
        if (next >= 0) {
          return value;
        }
      }
      throw damaged("number");
    }

    private IllegalArgumentException damaged(String what) {
      return new IllegalArgumentException("not a stored key-value pair: bad " + what + " before byte " + at + " of " + in.byteSize());
    }
  }
}
