package io.kvorum.mvcc.segment;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A segment as {@link io.kvorum.mvcc.SnapshotFiles} ships it, looked at from outside. */
public final class ShippedSegment {
  private ShippedSegment() {}

  /** Reads some bytes at an offset; -1 at the end. */
  @FunctionalInterface
  public interface Bytes {
    int read(long offset, ByteBuffer into) throws IOException;
  }

  /** Main revisions of the first and the last record. */
  public record Revisions(long first, long last) {}

  /**
   * Which revisions it holds.
   *
   * @throws IOException also when it is no segment
   */
  public static Revisions revisions(Bytes bytes) throws IOException {
    ByteBuffer header = read(bytes, 0, RecordStream.HEADER_BYTES);
    if (header.getLong() != RecordStream.MAGIC) {
      throw new IOException("not a segment's records");
    }
    header.getInt();
    int count = header.getInt();
    if (count < 1) {
      throw new IOException("a segment with " + count + " records");
    }
    long first = read(bytes, RecordStream.HEADER_BYTES, Long.BYTES).getLong();
    long last = read(bytes, RecordStream.HEADER_BYTES + (long) RecordStream.ROW_BYTES * (count - 1), Long.BYTES).getLong();
    return new Revisions(first, last);
  }

  private static ByteBuffer read(Bytes bytes, long offset, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (bytes.read(offset + buffer.position(), buffer) < 0) {
        throw new EOFException("a segment's records end too early");
      }
    }
    return buffer.flip();
  }
}
