package io.kvorum.bbolt;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.SortedMap;

/**
 * One bucket to be written.
 *
 * @param name ASCII, not empty
 * @param rows its content
 */
public record Bucket(String name, Rows rows) {
  /** The content of a bucket, which can be gone through more than once. */
  @FunctionalInterface
  public interface Rows {
    /** Hands over all rows, in ascending order of keys; the same ones each time. */
    void forEach(RowSink sink) throws IOException;
  }

  /** A bucket without rows. */
  public static Bucket empty(String name) {
    return new Bucket(name, sink -> {});
  }

  /**
   * A small bucket.
   *
   * @param rows sorted by {@code Arrays::compareUnsigned}
   */
  public static Bucket of(String name, SortedMap<byte[], byte[]> rows) {
    return new Bucket(
        name,
        sink -> {
          for (var row : rows.entrySet()) {
            sink.row(row.getKey(), ByteBuffer.wrap(row.getValue()));
          }
        });
  }
}
