package io.kvorum.raft.log;

import io.kvorum.raft.FailPoint;
import java.io.Closeable;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Keeps the next segment file ready, written with zeros or recycled, and disposes of old ones; all on one background thread. That a file cannot be
 * made ready is noticed here, while the
 * current one still has room: {@link #spaceLow} says so until it succeeds.
 */
final class SpareFiles implements Closeable {
  /** Begins the name of each file that is not a segment yet, or no longer. */
  static final String PREFIX = "spare-";

  private static final Logger LOG = System.getLogger(SpareFiles.class.getName());
  private static final int CHUNK_BYTES = 1 << 20;
  private static final long RETRY_MILLIS = 1000;

  /** A file full of zeros, or of records of an earlier use. */
  record Spare(Path path, DiskFile file, int bytes) {}

  private final Path directory;
  private final Disk disk;
  private final FailPoint failPoint;
  private final int recycledBytes;
  private final ScheduledThreadPoolExecutor worker;
  private final AtomicLong names = new AtomicLong();

  /** Worker only. */
  private final ArrayDeque<Path> retiring = new ArrayDeque<>();

  private boolean preparing;
  private boolean closed;
  private Spare ready;
  private volatile boolean spaceLow;

  SpareFiles(Path directory, LogOptions options) {
    this.directory = directory;
    this.disk = options.disk();
    this.failPoint = options.failPoint();
    this.recycledBytes = options.segmentBytes();
    this.worker = new ScheduledThreadPoolExecutor(1, task -> Thread.ofPlatform().name("raft-log-files").daemon().unstarted(task));
    worker.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
  }

  boolean spaceLow() {
    return spaceLow;
  }

  /** Begins to prepare a file unless one is ready or under way. Does not wait. */
  synchronized void request(int bytes) {
    if (ready == null && !preparing && !closed) {
      preparing = true;
      worker.execute(() -> prepare(bytes));
    }
  }

  /**
   * Hands out the prepared file if it is large enough; waits for one that is under way. Without one, makes a file of {@code wanted} bytes, or of
   * {@code needed} if the disk has no room for
   * that.
   */
  Spare take(int wanted, int needed) throws IOException {
    Spare spare = awaitReady();
    if (spare != null && spare.bytes >= needed) {
      return spare;
    }
    if (spare != null) {
      spare.file.close();
      disk.delete(spare.path);
    }
    try {
      return create(Math.max(wanted, needed));
    } catch (IOException e) {
      if (needed >= wanted) {
        throw e;
      }
      return create(needed);
    }
  }

  private synchronized Spare awaitReady() throws IOException {
    boolean interrupted = false;
    while (preparing && !spaceLow && !closed) {
      try {
        wait(RETRY_MILLIS);
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    Spare spare = ready;
    ready = null;
    return spare;
  }

  /**
   * Disposes of files, oldest first, so that a crash never leaves a gap: one is kept for its next use if there is none, the others are deleted. A
   * file that cannot be deleted holds up the later
   * ones; it is tried again.
   */
  void retire(List<Path> files) {
    worker.execute(
        () -> {
          retiring.addAll(files);
          disposeOfRetired();
        });
  }

  private void disposeOfRetired() {
    try {
      while (!retiring.isEmpty()) {
        failPoint.reached("raft.log.before-delete");
        if (!recycle(retiring.peek())) {
          disk.delete(retiring.peek());
        }
        disk.syncDirectory(directory);
        retiring.remove();
      }
    } catch (IOException e) {
      LOG.log(Level.WARNING, "cannot delete the old log file " + retiring.peek(), e);
      retryLater(this::disposeOfRetired);
    }
  }

  private synchronized void retryLater(Runnable task) {
    if (!closed) {
      worker.schedule(task, RETRY_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  private boolean recycle(Path file) throws IOException {
    synchronized (this) {
      if (ready != null || preparing || closed) {
        return false;
      }
      preparing = true;
    }
    Spare spare = null;
    try {
      DiskFile opened = disk.open(file, true);
      if (opened.size() == recycledBytes) {
        Path path = newPath();
        disk.rename(file, path);
        spare = new Spare(path, opened, recycledBytes);
      } else {
        opened.close();
      }
    } finally {
      finished(spare);
    }
    return spare != null;
  }

  private void prepare(int bytes) {
    try {
      finished(create(bytes));
      spaceLow = false;
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      if (!spaceLow) {
        LOG.log(Level.WARNING, "cannot allocate the next log file of " + bytes + " bytes, space is low", e);
      }
      spaceLow = true;
      synchronized (this) {
        notifyAll();
      }
      retryLater(() -> prepare(bytes));
    }
  }

  private synchronized void finished(Spare spare) {
    preparing = false;
    ready = spare;
    notifyAll();
  }

  private Path newPath() {
    return directory.resolve(PREFIX + names.incrementAndGet());
  }

  private Spare create(int bytes) throws IOException {
    Path path = newPath();
    DiskFile file = disk.create(path);
    try {
      ByteBuffer zeros = ByteBuffer.allocateDirect(Math.min(bytes, CHUNK_BYTES));
      for (int at = 0; at < bytes; at += CHUNK_BYTES) {
        zeros.position(0).limit(Math.min(CHUNK_BYTES, bytes - at));
        file.write(zeros, at);
        // In pieces, so that a commit that comes in between does not wait for the whole file.
        file.force();
      }
      return new Spare(path, file, bytes);
    } catch (IOException e) {
      file.close();
      disk.delete(path);
      throw e;
    }
  }

  /** Ends what is under way. */
  @Override
  public void close() throws IOException {
    synchronized (this) {
      closed = true;
      notifyAll();
    }
    worker.shutdown();
    try {
      worker.awaitTermination(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    synchronized (this) {
      if (ready != null) {
        ready.file.close();
        ready = null;
      }
    }
  }
}
