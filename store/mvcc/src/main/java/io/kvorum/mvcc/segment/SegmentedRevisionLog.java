package io.kvorum.mvcc.segment;

import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.mvcc.StoreCorruptException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * The revision log as a chain of segment files under one manifest.
 *
 * <p>Start: the manifest is read, its segments are mapped, every other file is deleted, and the caller applies its log again from the manifest's index on. There is no
 * other recovery: an active segment is never opened again.
 *
 * <p>Threads: the caller's appending thread; one that seals and writes manifests; one that allocates files and unmaps them; one that rewrites. Readers use none of
 * them and wait for none.
 */
public final class SegmentedRevisionLog implements RevisionLog {
  /** An active segment is forced in steps of this many bytes, so that no force takes long enough to hold up the raft log's. */
  private static final long FORCE_STEP_BYTES = 8L << 20;

  private static final double PREPARE_FILL = 0.5;

  /** A tail of this many bytes is sealed within the checkpoint; a longer one before it, in the background. */
  private static final long TAIL_BYTES_MAX = 4L << 20;

  /** Without this much free space a checkpoint is not begun: room for the tail's side file and a manifest. */
  private static final long CHECKPOINT_BYTES = 8L << 20;

  private static final long STOP_SECONDS_MAX = 60;

  private final SegmentFiles files;
  private final SegmentChain chain = new SegmentChain();
  private final Checkpointer checkpointer;
  private final SpaceWatch space;
  private final Spares spares;
  private final ExecutorService durableThread;
  private final ExecutorService fileThread;
  private final ExecutorService rewriteThread;
  private final Rewriter rewriter;
  private volatile Manifest manifest;

  /** Guards the rest: a rewrite of everything may cut the active segment from its own thread. Uncontended otherwise. */
  private final Object appending = new Object();

  private ActiveSegment active;
  private long lastMain = Long.MIN_VALUE;
  private int lastSub;
  private long forcedBytes;
  private long previousChunks;
  private double chunksPerRecord = SegmentSize.CHUNKS_PER_RECORD_GUESS;
  private boolean prepared;

  /** What the last {@link #missing} found here, pinned for the install that follows. Guarded by itself. */
  private final List<Segment> promised = new ArrayList<>();

  private SegmentedRevisionLog(Path directory, MvccOptions options, ManifestFile found) throws IOException {
    this.durableThread = thread("kvorum-segment-seal");
    this.fileThread = thread("kvorum-segment-files");
    this.rewriteThread = thread("kvorum-segment-rewrite");
    long firstNumber = found.segments().stream().mapToLong(SegmentInfo::number).max().orElse(0) + 1;
    this.files = new SegmentFiles(directory, options.failPoint(), options.verify(), firstNumber, fileThread);
    this.space = new SpaceWatch(directory, options.reserveBytes(), System::nanoTime);
    this.spares = new Spares(files, space, fileThread, System::nanoTime);
    this.manifest = found.isEmpty() ? null : found.facts();
    List<Segment> segments = openAll(found);
    segments.forEach(segment -> chain.add(segment.retain()));
    continueAfter(segments);
    this.checkpointer = new Checkpointer(files, chain, durableThread, new Checkpointer.Durable(found, segments), System::nanoTime);
    this.rewriter = new Rewriter(files, chain, checkpointer, rewriteThread, System::nanoTime);
    spares.prepare(nextSize());
  }

  /**
   * Opens or creates a log. The caller holds the data directory's lock.
   *
   * @throws StoreCorruptException naming the file, when the manifest, a segment or a side file is damaged or missing
   * @throws IOException also when a newer version wrote the files
   */
  public static SegmentedRevisionLog open(Path directory, MvccOptions options) throws IOException {
    Files.createDirectories(directory);
    ManifestFile found = ManifestFile.read(directory);
    if (found == null) {
      try (var content = Files.list(directory)) {
        if (content.anyMatch(file -> FileNames.isOurs(file.getFileName().toString()) && !file.endsWith(FileNames.MANIFEST + FileNames.TEMPORARY))) {
          throw new StoreCorruptException(directory.resolve(FileNames.MANIFEST), "missing beside segment files");
        }
      }
      found = ManifestFile.EMPTY;
      found.write(directory, options.failPoint());
      ManifestFile.syncDirectory(directory.toAbsolutePath().getParent());
    }
    return new SegmentedRevisionLog(directory, options, found);
  }

  private static ExecutorService thread(String name) {
    return Executors.newSingleThreadExecutor(Thread.ofPlatform().name(name).daemon(true).factory());
  }

  private List<Segment> openAll(ManifestFile found) throws IOException {
    Set<String> named = new HashSet<>();
    List<Segment> segments = new ArrayList<>();
    boolean opened = false;
    try {
      for (SegmentInfo info : found.segments()) {
        named.add(info.dataName());
        named.add(info.sideName());
        segments.add(files.open(info));
      }
      files.deleteRubbish(named);
      opened = true;
      return segments;
    } finally {
      if (!opened) {
        files.keepFiles();
        segments.forEach(Segment::release);
        durableThread.shutdown();
        fileThread.shutdown();
        rewriteThread.shutdown();
      }
    }
  }

  @Override
  public void append(long main, int sub, byte[] key, byte[] encoded, boolean tombstone, long lease) {
    synchronized (appending) {
      checkpointer.requireSound();
      if (main < lastMain || main == lastMain && sub <= lastSub) {
        throw new IllegalArgumentException("revision " + main + "." + sub + " after " + lastMain + "." + lastSub);
      }
      if (active == null || !active.fits(encoded.length, main)) {
        next(encoded.length, main);
      }
      active.append(main, sub, encoded, encoded.length, tombstone, lease);
      lastMain = main;
      lastSub = sub;
      if (active.payloadBytes() - forcedBytes >= FORCE_STEP_BYTES) {
        forcedBytes = active.payloadBytes();
        checkpointer.forceEarly(active);
      }
      if (active.file().fill() >= PREPARE_FILL && (!prepared || space.allocationFailed())) {
        prepared = true;
        spares.prepare(nextSize());
      }
    }
  }

  private SegmentSize nextSize() {
    return SegmentSize.next(sizeBytes(), active == null ? previousChunks : active.size().chunks(), chunksPerRecord);
  }

  /** The new file comes first: when there is none, nothing has changed. */
  private void next(int valueBytes, long main) {
    ActiveSegment fresh;
    try {
      fresh = spares.take(nextSize(), valueBytes, main);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    cut();
    active = fresh;
    chain.add(fresh.segment());
  }

  private void cut() {
    if (active != null) {
      previousChunks = active.size().chunks();
      chunksPerRecord = active.file().chunksPerRecord();
      ActiveSegment full = active;
      active = null;
      forcedBytes = 0;
      prepared = false;
      checkpointer.seal(full);
    }
  }

  @Override
  public View view() {
    return new PinnedView(chain.pin());
  }

  @Override
  public long sizeBytes() {
    SegmentSet set = chain.pin();
    try {
      return set.payloadBytes();
    } finally {
      set.release();
    }
  }

  @Override
  public boolean spaceLow() {
    if (space.allocationFailed()) {
      synchronized (appending) {
        spares.prepare(nextSize());
      }
    }
    return space.low();
  }

  @Override
  public boolean wantsCheckpoint() {
    return checkpointer.wanted() && prepareCheckpoint();
  }

  @Override
  public boolean prepareCheckpoint() {
    synchronized (appending) {
      if (active != null && active.payloadBytes() > TAIL_BYTES_MAX) {
        spares.prepare(nextSize());
        cut();
      }
    }
    return checkpointer.allSealed() && space.has(CHECKPOINT_BYTES);
  }

  @Override
  public void checkpoint(Manifest facts) throws IOException {
    CompletableFuture<Void> durable;
    synchronized (appending) {
      checkpointer.requireSound();
      cut();
      durable = checkpointer.checkpoint(facts);
    }
    await(durable);
    manifest = facts;
    rewriter.merge();
  }

  private static <T> T await(CompletableFuture<T> work) throws IOException {
    try {
      return work.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case IOException io -> throw io;
        case RuntimeException runtime -> throw runtime;
        default -> throw e;
      }
    }
  }

  @Override
  public Manifest manifest() {
    return manifest;
  }

  @Override
  public CompletableFuture<Void> rewrite(Liveness liveness, boolean all) {
    if (all) {
      // What is still in the active segment is to be rewritten too.
      synchronized (appending) {
        checkpointer.requireSound();
        cut();
      }
    }
    return checkpointer.sealed().thenCompose(sealed -> rewriter.request(liveness, all));
  }

  @Override
  public SnapshotFiles snapshot() {
    return new SegmentSnapshot(checkpointer.pin());
  }

  @Override
  public List<String> missing(List<SnapshotFiles.Entry> offered) {
    Set<String> names = new LinkedHashSet<>();
    offered.forEach(entry -> names.add(entry.name()));
    SegmentSet set = chain.pin();
    try {
      synchronized (promised) {
        forgetPromised();
        for (Segment segment : set.segments()) {
          if (segment.sealed() && names.remove(segment.info().streamName())) {
            promised.add(segment.retain());
          }
        }
      }
    } finally {
      set.release();
    }
    return List.copyOf(names);
  }

  private void forgetPromised() {
    synchronized (promised) {
      promised.forEach(Segment::release);
      promised.clear();
    }
  }

  @Override
  public void install(Path receivedDirectory) throws IOException {
    synchronized (appending) {
      SegmentSet set = chain.pin();
      try {
        synchronized (promised) {
          Map<String, Segment> here = new HashMap<>();
          set.segments().stream().filter(Segment::sealed).forEach(segment -> here.put(segment.info().content(), segment));
          promised.forEach(segment -> here.put(segment.info().content(), segment));
          SnapshotInstaller installer = new SnapshotInstaller(files);
          Checkpointer.Durable installed = await(checkpointer.install(() -> installer.install(receivedDirectory, here)));
          dropActive();
          continueAfter(installed.segments());
          manifest = installed.manifest().facts();
          forgetPromised();
        }
      } finally {
        set.release();
      }
    }
  }

  private void dropActive() {
    if (active != null) {
      active.closeMap();
      active = null;
    }
    forcedBytes = 0;
    prepared = false;
  }

  private void continueAfter(List<Segment> segments) {
    lastMain = Long.MIN_VALUE;
    if (!segments.isEmpty()) {
      OffsetTable last = segments.getLast().table();
      lastMain = last.main(last.count() - 1);
      lastSub = last.sub(last.count() - 1);
    }
  }

  /**
   * Reads every sealed record and compares it with its checksum. May run beside everything else.
   *
   * @param withChronicle also compares with Chronicle's own look-up, in a temporary copy of each file
   * @return records compared
   * @throws StoreCorruptException naming the damaged file
   */
  public long verify(boolean withChronicle) throws IOException {
    SegmentSet set = chain.pin();
    try {
      SegmentVerifier verifier = new SegmentVerifier(files.directory());
      long records = 0;
      for (Segment segment : set.segments()) {
        records += segment.sealed() ? verifier.verify(segment, withChronicle) : 0;
      }
      return records;
    } finally {
      set.release();
    }
  }

  /** Stops the threads; no checkpoint is taken. What no manifest names is rubbish from now on. */
  @Override
  public void close() {
    rewriter.stop();
    stop(rewriteThread);
    synchronized (appending) {
      stop(durableThread);
      spares.close();
      dropActive();
      files.keepFiles();
      forgetPromised();
      chain.reset(List.of());
      checkpointer.close();
      stop(fileThread);
    }
  }

  private static void stop(ExecutorService thread) {
    thread.shutdown();
    try {
      if (!thread.awaitTermination(STOP_SECONDS_MAX, TimeUnit.SECONDS)) {
        throw new IllegalStateException("a thread of the store did not stop within " + STOP_SECONDS_MAX + " s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
