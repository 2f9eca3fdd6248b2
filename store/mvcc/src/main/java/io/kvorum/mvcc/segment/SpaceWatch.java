package io.kvorum.mvcc.segment;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/** Whether the disk has less free space than the reserve. Asks the system at most once in {@link #INTERVAL_NANOS}. Any thread. */
final class SpaceWatch {
  private static final long INTERVAL_NANOS = 100_000_000;

  private final FileStore disk;
  private final long reserveBytes;
  private final LongSupplier nanoTime;
  private volatile long asked;
  private volatile long usableBytes;
  private volatile boolean allocationFailed;

  SpaceWatch(Path directory, long reserveBytes, LongSupplier nanoTime) throws IOException {
    this.disk = Files.getFileStore(directory);
    this.reserveBytes = reserveBytes;
    this.nanoTime = nanoTime;
    this.usableBytes = ask();
    this.asked = nanoTime.getAsLong();
  }

  boolean low() {
    return allocationFailed || !has(reserveBytes);
  }

  /** Whether this much is free. */
  boolean has(long bytes) {
    long now = nanoTime.getAsLong();
    if (now - asked >= INTERVAL_NANOS) {
      asked = now;
      usableBytes = ask();
    }
    return usableBytes >= bytes;
  }

  /**
   * The last allocation of a segment file failed (or the next one succeeded again).
   *
   * @return whether that is news
   */
  boolean allocationFailed(boolean failed) {
    boolean news = allocationFailed != failed;
    allocationFailed = failed;
    return news;
  }

  boolean allocationFailed() {
    return allocationFailed;
  }

  private long ask() {
    try {
      return disk.getUsableSpace();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
