package io.kvorum.bbolt;

import java.io.IOException;
import java.nio.ByteBuffer;

/** A file to read from. */
public interface ByteSource {
  /** Bytes of the file; of a snapshot without its trailing digest. */
  long size();

  /**
   * Fills the buffer from an offset on.
   *
   * @throws IOException also when the file ends before the buffer is full
   */
  void read(long offset, ByteBuffer into) throws IOException;
}
