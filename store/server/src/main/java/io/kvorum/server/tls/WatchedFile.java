package io.kvorum.server.tls;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;

/**
 * One small file and whether it has changed. A look costs a stat; the content is read when size, time or identity differ, and also while the file was written so
 * recently that a second write in the same tick of its clock would not show.
 */
final class WatchedFile {
  private static final long RECENT_MILLIS = 2_000;
  private static final int MAX_BYTES = 4 << 20;

  private final Path path;
  private byte[] content;
  private Stamp stamp;

  WatchedFile(String path) {
    this.path = Path.of(path);
  }

  private record Stamp(long size, long modifiedMillis, Object time, Object identity, boolean recent) {
    static Stamp of(Path path) throws IOException {
      BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
      long modified = now.lastModifiedTime().toMillis();
      return new Stamp(now.size(), modified, now.lastModifiedTime(), now.fileKey(), System.currentTimeMillis() - modified < RECENT_MILLIS);
    }
  }

  /**
   * Looks, and reads if need be.
   *
   * @return whether the content differs from what was there at the look before
   * @throws TlsException when it cannot be read
   */
  boolean look() throws TlsException {
    try {
      Stamp now = Stamp.of(path);
      if (now.size() > MAX_BYTES) {
        throw new TlsException(path + ": larger than " + MAX_BYTES + " bytes");
      }
      if (now.equals(stamp) && !now.recent()) {
        return false;
      }
      byte[] read = Files.readAllBytes(path);
      boolean changed = !Arrays.equals(read, content);
      content = read;
      stamp = now;
      return changed;
    } catch (NoSuchFileException e) {
      throw new TlsException("open " + path + ": no such file or directory", e);
    } catch (AccessDeniedException e) {
      throw new TlsException("open " + path + ": permission denied", e);
    } catch (IOException e) {
      throw new TlsException("open " + path + ": " + e.getMessage(), e);
    }
  }

  /** Reads at the next look in any case. */
  void forget() {
    stamp = null;
  }

  String name() {
    return path.toString();
  }

  byte[] content() {
    return content;
  }
}
