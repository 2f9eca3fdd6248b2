package io.kvorum.server.migrate;

import io.kvorum.bbolt.BoltWriter;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.util.Set;

/**
 * Writes an etcd snapshot into a file that only its owner can read: to {@code FILE.part} first, which is renamed when it is whole and durable. A file that is there already is
 * replaced.
 */
public final class SnapshotWriter {
  private static final int BUFFER_BYTES = 1 << 20;

  private SnapshotWriter() {}

  /** The file's writer; its plan tells the length. */
  public static BoltWriter of(FrozenState state) {
    return new BoltWriter(BoltWriter.PAGE_SIZE, EtcdContent.of(state));
  }

  /** @param layout what the writer's plan said */
  public static void write(BoltWriter writer, BoltWriter.Layout layout, Path file, Progress progress) throws IOException {
    Path whole = file.toAbsolutePath();
    Path part = whole.resolveSibling(whole.getFileName() + ".part");
    Files.deleteIfExists(part);
    boolean done = false;
    try (FileChannel channel =
        FileChannel.open(
            part, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
      write(writer, layout, Channels.newOutputStream(channel), progress);
      channel.force(true);
      Files.move(part, whole, StandardCopyOption.ATOMIC_MOVE);
      done = true;
    } finally {
      if (!done) {
        Files.deleteIfExists(part);
      }
    }
    try (FileChannel directory = FileChannel.open(whole.getParent(), StandardOpenOption.READ)) {
      directory.force(true);
    }
  }

  private static void write(BoltWriter writer, BoltWriter.Layout layout, OutputStream file, Progress progress) throws IOException {
    MessageDigest digest = SnapshotFile.sha256();
    OutputStream out = new BufferedOutputStream(file, BUFFER_BYTES);
    byte[] scratch = new byte[BoltWriter.PAGE_SIZE];
    writer.write(
        layout,
        bytes -> {
          progress.advance(bytes.remaining());
          while (bytes.hasRemaining()) {
            int length = Math.min(scratch.length, bytes.remaining());
            bytes.get(scratch, 0, length);
            digest.update(scratch, 0, length);
            out.write(scratch, 0, length);
          }
        });
    out.write(digest.digest());
    out.flush();
  }
}
