package io.kvorum.server.agent;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/** The directory of the copy: locked against a second agent, and, when it is a temporary one, gone with its agent. */
final class CopyDirectory implements AutoCloseable {
  private final Path path;
  private final boolean temporary;
  private final FileChannel lock;

  private CopyDirectory(Path path, boolean temporary, FileChannel lock) {
    this.path = path;
    this.temporary = temporary;
    this.lock = lock;
  }

  /**
   * @param given null for a temporary one
   * @throws IOException when it cannot be used, or another process uses it
   */
  static CopyDirectory open(Path given) throws IOException {
    Path path = given == null ? Files.createTempDirectory("kvorum-agent-") : Files.createDirectories(given);
    FileChannel lock = FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (!isMine(lock)) {
      lock.close();
      throw new IOException("--data-dir: " + path + " is in use by another process");
    }
    return new CopyDirectory(path, given == null, lock);
  }

  private static boolean isMine(FileChannel channel) throws IOException {
    try {
      // Held until the channel is closed.
      FileLock held = channel.tryLock();
      return held != null;
    } catch (OverlappingFileLockException sameProcess) {
      return false;
    }
  }

  Path path() {
    return path;
  }

  /** Best effort: what stays is deleted by the next agent, or with the pod. */
  @Override
  public void close() throws IOException {
    lock.close();
    if (temporary) {
      List<Path> left;
      try (Stream<Path> all = Files.walk(path)) {
        left = all.toList();
      }
      for (Path each : left.reversed()) {
        Files.deleteIfExists(each);
      }
    }
  }
}
