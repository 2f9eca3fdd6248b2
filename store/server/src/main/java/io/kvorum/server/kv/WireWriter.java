package io.kvorum.server.kv;

import com.google.protobuf.CodedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Writes protobuf fields to a stream through one small buffer, whatever their number and size; for field numbers below 16. */
final class WireWriter {
  private static final int BUFFER_BYTES_MAX = 16 << 10;
  private static final int TAG_AND_VARINT_MAX = 11;
  private static final int LENGTH_DELIMITED = 2;

  private final OutputStream out;
  private final byte[] buffer;
  private int used;

  /**
   * @param size bytes that will be written
   */
  WireWriter(OutputStream out, long size) {
    this.out = out;
    this.buffer = new byte[(int) Math.max(TAG_AND_VARINT_MAX, Math.min(size, BUFFER_BYTES_MAX))];
  }

  /** Bytes that a length-delimited field of this content takes. */
  static long sizeOf(long length) {
    return 1L + CodedOutputStream.computeUInt64SizeNoTag(length) + length;
  }

  /** Begins a message whose fields follow. */
  void begin(int field, long length) throws IOException {
    tagged(field << 3 | LENGTH_DELIMITED, length);
  }

  /** A field of type int64 or bool. */
  void varint(int field, long value) throws IOException {
    tagged(field << 3, value);
  }

  void bytes(int field, byte[] value) throws IOException {
    bytes(field, MemorySegment.ofArray(value));
  }

  /** A field of type message, string or bytes. */
  void bytes(int field, MemorySegment value) throws IOException {
    long length = value.byteSize();
    begin(field, length);
    for (long at = 0; at < length; ) {
      if (used == buffer.length) {
        flush();
      }
      int part = (int) Math.min(length - at, buffer.length - used);
      MemorySegment.copy(value, ValueLayout.JAVA_BYTE, at, buffer, used, part);
      used += part;
      at += part;
    }
  }

  private void tagged(int tag, long number) throws IOException {
    if (buffer.length - used < TAG_AND_VARINT_MAX) {
      flush();
    }
    buffer[used++] = (byte) tag;
    long rest = number;
    while ((rest & ~0x7fL) != 0) {
      buffer[used++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    buffer[used++] = (byte) rest;
  }

  /** Must be called at the end. */
  void flush() throws IOException {
    out.write(buffer, 0, used);
    used = 0;
  }
}
