package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.StoreCorruptException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

/**
 * Makes things durable, on one thread, in the order in which they were asked for, so that the appending thread waits only when it wants to.
 *
 * <p>Checkpoint: (1) every segment that was cut before is sealed (most are already); (2) a manifest that names all sealed segments is written; (3) the previous one
 * gives up its references, and with the last reference the files go. A full disk in (1) or (2) leaves the old manifest in force and may be tried again. Any other
 * failure (a failing fsync above all) is final: what is on disk cannot be known any more, so this log refuses every further call.
 */
final class Checkpointer {
  private static final System.Logger LOG = System.getLogger(Checkpointer.class.getName());

  /** Bytes sealed since the last manifest that make a checkpoint worthwhile: they would have to be replayed. */
  private static final long WANTED_BYTES = 48L << 20;

  /** A checkpoint that a full disk refused is not asked for again earlier. */
  private static final long RETRY_NANOS = 1_000_000_000;

  private final SegmentFiles files;
  private final SegmentChain chain;
  private final Executor executor;
  private final LongSupplier nanoTime;
  private final AtomicReference<Throwable> failure = new AtomicReference<>();

  /** Cut and not yet sealed; executor only. */
  private final Deque<ActiveSegment> unsealed = new ArrayDeque<>();

  /** Those and the ones on their way to the executor. */
  private final AtomicInteger unsealedCount = new AtomicInteger();

  /** The newest durable manifest with a reference to each of its segments; guarded by this. */
  private Durable durable;

  private volatile long sealedBytes;
  private volatile boolean swapped;

  /** When the disk was last too full, and the refusal after which sealing was last tried again. */
  private volatile long refusedAt;

  private volatile long retriedAt;

  /** @param segments one for each that the manifest names, in order; a reference each */
  record Durable(ManifestFile manifest, List<Segment> segments) {
    void release() {
      segments.forEach(Segment::release);
    }

    Durable retain() {
      segments.forEach(Segment::retain);
      return this;
    }
  }

  /** @param durable what is on disk; takes over its references */
  Checkpointer(SegmentFiles files, SegmentChain chain, Executor executor, Durable durable, LongSupplier nanoTime) {
    this.nanoTime = nanoTime;
    this.refusedAt = nanoTime.getAsLong() - RETRY_NANOS;
    this.retriedAt = refusedAt;
    this.files = files;
    this.chain = chain;
    this.executor = executor;
    this.durable = durable;
  }

  /** @throws IllegalStateException after a failure that cannot be repaired */
  void requireSound() {
    Throwable cause = failure.get();
    if (cause != null) {
      throw new IllegalStateException("the store failed and must be restarted: " + cause, cause);
    }
  }

  void fail(Throwable cause) {
    if (failure.compareAndSet(null, cause)) {
      LOG.log(System.Logger.Level.ERROR, "the store failed", cause);
    }
  }

  boolean wanted() {
    return (swapped || sealedBytes >= WANTED_BYTES) && nanoTime.getAsLong() - refusedAt >= RETRY_NANOS;
  }

  /** A rewrite took effect for readers; only a new manifest lets the old files go. */
  void rewriteSwapped() {
    swapped = true;
  }

  /** Seals in the background. */
  void seal(ActiveSegment cut) {
    unsealedCount.incrementAndGet();
    executor.execute(
        () -> {
          unsealed.add(cut);
          trySealing();
        });
  }

  private void trySealing() {
    try {
      sealAll();
    } catch (NoSpaceException e) {
      refusedAt = nanoTime.getAsLong();
      LOG.log(System.Logger.Level.WARNING, "cannot seal a segment yet: " + e.getMessage());
    } catch (IOException | RuntimeException e) {
      fail(e);
    }
  }

  /** Whether everything that was cut is sealed; tries again after a full disk, not too often. */
  boolean allSealed() {
    if (unsealedCount.get() == 0) {
      return true;
    }
    long refused = refusedAt;
    if (refused != retriedAt && nanoTime.getAsLong() - refused >= RETRY_NANOS) {
      retriedAt = refused;
      executor.execute(this::trySealing);
    }
    return false;
  }

  /** Sends an active segment's pages towards the disk. */
  void forceEarly(ActiveSegment active) {
    executor.execute(
        () -> {
          try {
            files.forceEarly(active);
          } catch (java.nio.file.NoSuchFileException e) {
            // Sealed and renamed meanwhile, which forces it.
          } catch (IOException | RuntimeException e) {
            fail(e);
          }
        });
  }

  private void sealAll() throws IOException {
    requireSound();
    while (!unsealed.isEmpty()) {
      ActiveSegment next = unsealed.peek();
      Segment sealed = files.seal(next, () -> {});
      unsealed.remove();
      unsealedCount.decrementAndGet();
      long bytes = next.payloadBytes();
      if (chain.replace(List.of(next.segment()), List.of(sealed))) {
        sealedBytes += bytes;
      } else {
        sealed.release();
      }
    }
  }

  /**
   * Completes when everything that was cut before the call and these facts are durable. The caller waits for it: were the floor to move meanwhile, a rewrite could
   * take away what these facts still promise.
   */
  CompletableFuture<Void> checkpoint(RevisionLog.Manifest facts) {
    return CompletableFuture.runAsync(
        () -> {
          try {
            sealAll();
            writeManifest(facts);
          } catch (NoSpaceException e) {
            swapped = true;
            refusedAt = nanoTime.getAsLong();
            throw new CompletionException(e);
          } catch (IOException | RuntimeException e) {
            fail(e);
            throw new CompletionException(e);
          }
        },
        executor);
  }

  private void writeManifest(RevisionLog.Manifest facts) throws IOException {
    SegmentSet set = chain.pin();
    try {
      List<Segment> sealed = set.segments().stream().filter(Segment::sealed).toList();
      swapped = false;
      sealedBytes = 0;
      ManifestFile manifest = new ManifestFile(facts, sealed.stream().map(Segment::info).toList());
      manifest.write(files.directory(), files.failPoint());
      become(new Durable(manifest, sealed).retain());
    } finally {
      set.release();
    }
  }

  /** Gives everything up; the executor has stopped. */
  void close() {
    unsealed.forEach(ActiveSegment::closeMap);
    become(new Durable(ManifestFile.EMPTY, List.of()));
  }

  /** Takes over the references of the new durable state and gives up those of the old. */
  private void become(Durable fresh) {
    Durable old;
    synchronized (this) {
      old = durable;
      durable = fresh;
    }
    old.release();
  }

  /** The newest durable manifest, with references for the caller. */
  synchronized Durable pin() {
    return durable.retain();
  }

  /** Completes when everything that was cut before the call is sealed. */
  CompletableFuture<Void> sealed() {
    return CompletableFuture.runAsync(
        () -> {
          try {
            sealAll();
          } catch (NoSpaceException e) {
            throw new CompletionException(e);
          } catch (IOException | RuntimeException e) {
            fail(e);
            throw new CompletionException(e);
          }
        },
        executor);
  }

  /**
   * Runs an install on this thread and shows its result to readers; what waits to be sealed is given up. A refused snapshot leaves everything as it was.
   *
   * @param install writes the new manifest
   */
  CompletableFuture<Durable> install(Callable<Durable> install) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            requireSound();
            Durable fresh = install.call();
            unsealed.forEach(ActiveSegment::closeMap);
            unsealedCount.addAndGet(-unsealed.size());
            unsealed.clear();
            swapped = false;
            sealedBytes = 0;
            chain.reset(fresh.retain().segments());
            become(fresh);
            return fresh;
          } catch (StoreCorruptException | NoSpaceException | NewerFormatException e) {
            throw new CompletionException(e);
          } catch (Exception e) {
            fail(e);
            throw new CompletionException(e);
          }
        },
        executor);
  }
}
