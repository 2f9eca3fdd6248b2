package io.kvorum.bbolt;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Takes the bytes of a file in order. */
@FunctionalInterface
public interface ByteSink {
  /**
   * @param bytes the next ones, from position to limit; used up when the call returns, and the caller's again
   */
  void write(ByteBuffer bytes) throws IOException;
}
