package io.kvorum.bbolt;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;

/** A file in memory. */
record BytesSource(byte[] bytes) implements ByteSource {
  @Override
  public long size() {
    return bytes.length;
  }

  @Override
  public void read(long offset, ByteBuffer into) throws IOException {
    if (offset + into.remaining() > bytes.length) {
      throw new EOFException("at " + offset);
    }
    into.put(bytes, (int) offset, into.remaining());
  }
}
