package io.kvorum.mvcc.segment;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/** Writes a new little-endian file through one buffer, counting and checksumming what goes out. Durable after {@link #force}. */
final class ForcedOutput implements AutoCloseable {
  private static final int BUFFER_BYTES = 256 << 10;

  private final FileChannel channel;
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
  private final CRC32C crc = new CRC32C();
  private long flushed;

  ForcedOutput(Path path) throws IOException {
    channel =
        FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
  }

  void putInt(int value) throws IOException {
    room(Integer.BYTES);
    buffer.putInt(value);
  }

  void putLong(long value) throws IOException {
    room(Long.BYTES);
    buffer.putLong(value);
  }

  void put(byte[] bytes, int length) throws IOException {
    for (int done = 0; done < length; ) {
      room(1);
      int step = Math.min(buffer.remaining(), length - done);
      buffer.put(bytes, done, step);
      done += step;
    }
  }

  long written() {
    return flushed + buffer.position();
  }

  /** Checksum of all that was forced. */
  int crc() {
    return (int) crc.getValue();
  }

  void force() throws IOException {
    flush();
    channel.force(true);
  }

  private void room(int bytes) throws IOException {
    if (buffer.remaining() < bytes) {
      flush();
    }
  }

  private void flush() throws IOException {
    buffer.flip();
    crc.update(buffer.duplicate());
    flushed += buffer.remaining();
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
    buffer.clear();
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
