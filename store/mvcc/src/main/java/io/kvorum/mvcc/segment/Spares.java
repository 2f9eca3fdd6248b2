package io.kvorum.mvcc.segment;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * Files allocated ahead of need: the next segment, and a small reserve that is touched only when the disk is full, so that deletes and compaction still find room
 * then. At most one of each. Called by the appending thread; the allocation runs on the executor.
 */
final class Spares implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger(Spares.class.getName());
  private static final long RETRY_NANOS = 100_000_000;

  private final SegmentFiles files;
  private final SpaceWatch space;
  private final Executor executor;
  private final LongSupplier nanoTime;
  private CompletableFuture<ActiveSegment> next;
  private CompletableFuture<ActiveSegment> reserve;
  private long triedAt;

  Spares(SegmentFiles files, SpaceWatch space, Executor executor, LongSupplier nanoTime) {
    this.files = files;
    this.space = space;
    this.executor = executor;
    this.nanoTime = nanoTime;
    this.triedAt = nanoTime.getAsLong() - RETRY_NANOS;
  }

  /** Starts to allocate the next file and the reserve unless they are there or on their way. After a failure, again every {@link #RETRY_NANOS}. */
  synchronized void prepare(SegmentSize size) {
    boolean missing = absent(next) || absent(reserve);
    long now = nanoTime.getAsLong();
    if (!missing || space.allocationFailed() && now - triedAt < RETRY_NANOS) {
      return;
    }
    triedAt = now;
    if (absent(next)) {
      next = allocate(size);
    }
    if (absent(reserve)) {
      reserve = allocate(SegmentSize.small());
    }
  }

  private static boolean absent(CompletableFuture<ActiveSegment> file) {
    return file == null || file.isCompletedExceptionally();
  }

  private CompletableFuture<ActiveSegment> allocate(SegmentSize size) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return create(size);
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        },
        executor);
  }

  private ActiveSegment create(SegmentSize size) throws IOException {
    try {
      ActiveSegment created = files.create(size);
      if (space.allocationFailed(false)) {
        LOG.log(System.Logger.Level.INFO, "segment files can be allocated again");
      }
      return created;
    } catch (NoSpaceException e) {
      if (space.allocationFailed(true)) {
        LOG.log(System.Logger.Level.WARNING, "cannot allocate the next segment file: " + e.getMessage());
      }
      throw e;
    }
  }

  /**
   * A file for a record of this size: the one at hand if it fits, else one made now, of the wanted size or cut for the record; on a full disk a small one, last
   * the reserve.
   *
   * @throws NoSpaceException when not even the reserve is left
   */
  synchronized ActiveSegment take(SegmentSize wanted, int valueBytes, long main) throws IOException {
    ActiveSegment ready = await(next);
    if (ready != null && ready.fits(valueBytes, main)) {
      next = null;
      return ready;
    }
    try {
      return create(wanted.atLeast(valueBytes));
    } catch (NoSpaceException e) {
      return takeOnFullDisk(valueBytes, main, e);
    }
  }

  private ActiveSegment takeOnFullDisk(int valueBytes, long main, NoSpaceException cause) throws NoSpaceException {
    ActiveSegment last = await(reserve);
    if (last == null || !last.fits(valueBytes, main)) {
      throw cause;
    }
    reserve = null;
    LOG.log(System.Logger.Level.WARNING, "the disk is full: writing into the reserve of " + last.size().fileBytesEstimate() + " bytes");
    return last;
  }

  /** The file, waiting while it is being made; null if that failed or none was asked for. */
  private static ActiveSegment await(CompletableFuture<ActiveSegment> file) {
    if (file == null) {
      return null;
    }
    try {
      return file.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof IOException) {
        return null;
      }
      throw e;
    }
  }

  /** Deletes what was not used. */
  @Override
  public synchronized void close() {
    for (CompletableFuture<ActiveSegment> file : java.util.Arrays.asList(next, reserve)) {
      ActiveSegment unused = await(file);
      if (unused != null) {
        files.discard(unused);
      }
    }
  }
}
