package io.kvorum.server.migrate;

import io.kvorum.bbolt.ByteSource;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A snapshot that was saved from etcd or from this store, or a bare data file of etcd. Pages are multiples of 512 bytes, so the length tells whether the SHA-256 of all bytes before
 * it stands at the end.
 */
public final class SnapshotFile implements ByteSource, AutoCloseable {
  /** Bytes of the digest at the end. */
  public static final int DIGEST_BYTES = 32;

  private static final int GRAIN_BYTES = 512;
  private static final int CHUNK_BYTES = 1 << 20;

  private final Path path;
  private final FileChannel channel;
  private final long size;
  private final boolean digested;

  private SnapshotFile(Path path, FileChannel channel, long size, boolean digested) {
    this.path = path;
    this.channel = channel;
    this.size = size;
    this.digested = digested;
  }

  /**
   * Opens it for reading.
   *
   * @throws RefusedFileException when its length is that of neither
   */
  public static SnapshotFile open(Path path) throws IOException {
    FileChannel channel;
    try {
      channel = FileChannel.open(path, StandardOpenOption.READ);
    } catch (NoSuchFileException missing) {
      throw new RefusedFileException(path + " does not exist");
    }
    long length = channel.size();
    int rest = (int) (length % GRAIN_BYTES);
    if (length < GRAIN_BYTES || rest != 0 && rest != DIGEST_BYTES) {
      channel.close();
      throw new RefusedFileException(path + " is truncated or no snapshot: " + length + " bytes are neither whole pages nor whole pages with a digest");
    }
    return new SnapshotFile(path, channel, length - rest, rest == DIGEST_BYTES);
  }

  /** Whether a digest stands at the end. */
  public boolean hasDigest() {
    return digested;
  }

  /**
   * Compares the digest.
   *
   * @throws RefusedFileException when it is another one, in etcdutl's words
   */
  public void verify(Progress progress) throws IOException {
    MessageDigest digest = sha256();
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
    for (long at = 0; at < size; at += chunk.capacity()) {
      chunk.clear().limit((int) Math.min(CHUNK_BYTES, size - at));
      read(at, chunk);
      digest.update(chunk.flip());
      progress.advance(chunk.limit());
    }
    ByteBuffer expected = ByteBuffer.allocate(DIGEST_BYTES);
    readFully(size, expected);
    byte[] actual = digest.digest();
    if (!MessageDigest.isEqual(expected.array(), actual)) {
      HexFormat hex = HexFormat.of();
      throw new RefusedFileException(path + " is damaged: expected sha256 " + hex.formatHex(expected.array()) + ", got " + hex.formatHex(actual));
    }
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(long offset, ByteBuffer into) throws IOException {
    if (offset + into.remaining() > size) {
      throw new EOFException(path + " ends before byte " + (offset + into.remaining()));
    }
    readFully(offset, into);
  }

  private void readFully(long offset, ByteBuffer into) throws IOException {
    long at = offset;
    while (into.hasRemaining()) {
      int count = channel.read(into, at);
      if (count < 0) {
        throw new EOFException(path + " became shorter while it was read");
      }
      at += count;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
