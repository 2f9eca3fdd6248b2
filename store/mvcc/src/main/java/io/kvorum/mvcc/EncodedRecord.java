package io.kvorum.mvcc;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A record over a slice of memory that holds its encoding; fields are parsed when first asked for. Used by one thread at a time. */
public final class EncodedRecord implements Record {
  private static final int COPY_BYTES = 16 << 10;

  private final long main;
  private final long sub;
  private final boolean tombstone;
  private final MemorySegment bytes;
  private KeyValueCodec.Fields fields;

  /**
   * @param bytes exactly the encoding
   */
  public EncodedRecord(long main, long sub, boolean tombstone, MemorySegment bytes) {
    this.main = main;
    this.sub = sub;
    this.tombstone = tombstone;
    this.bytes = bytes;
  }

  @Override
  public long main() {
    return main;
  }

  @Override
  public long sub() {
    return sub;
  }

  @Override
  public boolean tombstone() {
    return tombstone;
  }

  @Override
  public int length() {
    return (int) bytes.byteSize();
  }

  @Override
  public MemorySegment bytes() {
    return bytes;
  }

  @Override
  public void writeTo(OutputStream out) throws IOException {
    int length = length();
    byte[] scratch = new byte[Math.min(length, COPY_BYTES)];
    for (int at = 0; at < length; at += scratch.length) {
      int part = Math.min(scratch.length, length - at);
      MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, at, scratch, 0, part);
      out.write(scratch, 0, part);
    }
  }

  @Override
  public byte[] toByteArray() {
    return bytes.toArray(ValueLayout.JAVA_BYTE);
  }

  @Override
  public byte[] key() {
    return copy(fields().keyOffset(), fields().keyLength());
  }

  @Override
  public long createRevision() {
    return fields().createRevision();
  }

  @Override
  public long version() {
    return fields().version();
  }

  @Override
  public long lease() {
    return fields().lease();
  }

  @Override
  public byte[] value() {
    return copy(fields().valueOffset(), fields().valueLength());
  }

  /** Positions of the fields within {@link #bytes}. */
  public KeyValueCodec.Fields fields() {
    KeyValueCodec.Fields parsed = fields;
    if (parsed == null) {
      parsed = KeyValueCodec.parse(bytes);
      fields = parsed;
    }
    return parsed;
  }

  private byte[] copy(int offset, int length) {
    byte[] out = new byte[length];
    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, offset, out, 0, length);
    return out;
  }
}
