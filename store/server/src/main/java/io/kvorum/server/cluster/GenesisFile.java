package io.kvorum.server.cluster;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * Keeps the {@link Genesis} in the data directory. Format: magic, CRC-32C of the message, the message. Written once, to a temporary file that is
 * forced and renamed, so that it is there whole or not at all.
 */
public final class GenesisFile {
  private static final int MAGIC = 0x4b564731;
  private static final int HEADER_BYTES = 8;

  private final Path file;

  /**
   * @param memberDirectory exists; the file {@code genesis} in it
   */
  public GenesisFile(Path memberDirectory) {
    this.file = memberDirectory.resolve("genesis");
  }

  /**
   * The genesis, or null when this member has never started.
   *
   * @throws IOException naming the file, also when it is damaged
   */
  public Genesis read() throws IOException {
    if (!Files.exists(file)) {
      return null;
    }
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    if (bytes.length < HEADER_BYTES || in.getInt() != MAGIC || in.getInt() != crc(bytes, HEADER_BYTES)) {
      throw new IOException("damaged file: " + file);
    }
    return Genesis.of(io.kvorum.protocol.internal.Genesis.parseFrom(in));
  }

  /** Makes it durable. */
  public void write(Genesis genesis) throws IOException {
    byte[] message = genesis.toProto().toByteArray();
    ByteBuffer out = ByteBuffer.allocate(HEADER_BYTES + message.length).putInt(MAGIC).putInt(crc(message, 0)).put(message).flip();
    Path temporary = file.resolveSibling("genesis.tmp");
    try (FileChannel channel =
        FileChannel.open(temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING)) {
      while (out.hasRemaining()) {
        channel.write(out);
      }
      channel.force(true);
    }
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    try (FileChannel directory = FileChannel.open(file.getParent(), StandardOpenOption.READ)) {
      directory.force(true);
    }
  }

  private static int crc(byte[] bytes, int from) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, bytes.length - from);
    return (int) crc.getValue();
  }
}
