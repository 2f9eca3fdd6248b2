package io.kvorum.bbolt;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Takes the rows of one bucket, in ascending order of keys (unsigned bytes). */
@FunctionalInterface
public interface RowSink {
  /**
   * @param key 1 to 32,768 bytes; may be kept
   * @param value from position to limit; valid during the call
   */
  void row(byte[] key, ByteBuffer value) throws IOException;
}
