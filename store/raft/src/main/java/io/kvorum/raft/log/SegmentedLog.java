package io.kvorum.raft.log;

import io.kvorum.raft.Entry;
import io.kvorum.raft.HardState;
import io.kvorum.raft.LogView;
import io.kvorum.raft.log.DiskIndex.Segment;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The replicated log and the hard state on disk, in segment files that were written ahead of time.
 *
 * <p>Two steps make an append: {@link #append} hands over (memory only, readable at once through {@link LogView}), {@link #sync} writes all that was
 * handed over since and forces it once. They
 * may be called by different threads, each by one: the <em>owner</em> calls {@link #append}, {@link #cut} and {@link #reset}, the last one only
 * while nothing is being synced. {@link #sync} and {@link #mark} exclude each other. Reads may come from anywhere.
 *
 * <p>A failed write or force is final: the page cache can no longer be trusted, so every later call fails too, and the process must end.
 */
public final class SegmentedLog implements LogView, AutoCloseable {
  private final Path directory;
  private final LogOptions options;
  private final SpareFiles spares;
  private final SegmentWriter writer;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** Held while writing to the files. Taken before the monitor. */
  private final ReentrantLock writing = new ReentrantLock();

  // Guarded by this. Held for memory operations only, never across disk access.
  private final MemoryTail tail;
  private final DiskIndex index;
  private final List<Segment> segments;
  private final LogHolds holds = new LogHolds();
  private PendingWrites pending = new PendingWrites();
  private boolean mustForce;
  private HardState state;
  private long appendedBytes;
  private IOException failure;

  private volatile long durableIndex;

  /** An entry's place: the term that it was proposed in, and its index. */
  public record Position(long term, long index) {}

  SegmentedLog(Path directory, LogOptions options, SpareFiles spares, LogOpener.Opened opened) {
    this.directory = directory;
    this.options = options;
    this.spares = spares;
    this.tail = opened.tail();
    this.index = opened.index();
    this.segments = new ArrayList<>(opened.segments());
    this.state = opened.state();
    this.durableIndex = tail.lastIndex();
    this.writer = new SegmentWriter(directory, options, spares, new Placement(), opened.position());
  }

  /**
   * Opens the log in {@code directory}, or begins an empty one. What is found is durable when this returns.
   *
   * @throws LogCorruptException if durable bytes are damaged or missing: nothing is changed, the member must not start
   * @throws IOException if the disk fails
   */
  public static SegmentedLog open(Path directory, LogOptions options) throws IOException {
    return LogOpener.open(directory, options);
  }

  /** Newest hard state that was handed over or recovered. */
  public synchronized HardState hardState() {
    return state;
  }

  /**
   * Hands over a new hard state (null: unchanged) and entries. The first entry may lie at or before the last index: then the log's suffix from there
   * on is replaced. A hard state in which only
   * the commit index moved, without entries, waits for the next reason to write.
   *
   * @throws IllegalArgumentException if the entries leave a gap
   */
  public synchronized void append(HardState newState, List<Entry> entries) {
    if (newState != null && !newState.equals(state)) {
      mustForce |= newState.term() != state.term() || newState.vote() != state.vote();
      state = newState;
    }
    if (entries.isEmpty()) {
      return;
    }
    long first = entries.getFirst().index();
    if (first <= tail.lastIndex()) {
      long term = tail.term(first - 1);
      tail.truncate(first - 1, term);
      pending.truncate(first - 1, term);
    }
    for (Entry entry : entries) {
      tail.append(entry);
      appendedBytes += entry.sizeBytes();
    }
    pending.append(entries);
    mustForce = true;
  }

  /** Whether {@link #sync} has something to force. */
  public synchronized boolean needsSync() {
    return mustForce;
  }

  /**
   * Writes everything that was handed over and forces it once; returns the last index that is durable now.
   *
   * @throws IOException if it failed, now or earlier; what was handed over may or may not be durable, and nothing can be written any more
   */
  public long sync() throws IOException {
    writing.lock();
    try {
      return syncLocked();
    } finally {
      writing.unlock();
    }
  }

  private long syncLocked() throws IOException {
    PendingWrites work;
    HardState newest;
    synchronized (this) {
      failIfFailed();
      if (!mustForce) {
        return durableIndex;
      }
      newest = state;
      work = pending;
      pending = new PendingWrites();
      mustForce = false;
    }
    try {
      work.writeTo(writer, newest, this::truncated);
      writer.force();
    } catch (IOException | RuntimeException e) {
      throw failed(e);
    }
    synchronized (this) {
      long durable = pending.lowestKept(writer.lastIndex());
      durableIndex = durable;
      tail.written(durable);
      return durable;
    }
  }

  /**
   * To be called by the writer when it has nothing to do for a while: notes in the file, without forcing, that all before is durable (so that later
   * damage there is told from a torn write) and
   * the newest commit index.
   */
  public void mark() throws IOException {
    writing.lock();
    try {
      markLocked();
    } finally {
      writing.unlock();
    }
  }

  private void markLocked() throws IOException {
    HardState newest;
    synchronized (this) {
      failIfFailed();
      if (mustForce) {
        return;
      }
      newest = state;
    }
    try {
      writer.mark(newest);
    } catch (IOException | RuntimeException e) {
      throw failed(e);
    }
  }

  private synchronized void truncated(long to) {
    index.truncated(to);
  }

  /** Keeps the places of written records and the list of files. */
  private final class Placement implements SegmentWriter.Listener {
    @Override
    public void wrote(Segment segment, long offset, long firstIndex) {
      synchronized (SegmentedLog.this) {
        index.wrote(segment, offset, firstIndex);
      }
    }

    @Override
    public void rolled(Segment segment) {
      synchronized (SegmentedLog.this) {
        segments.add(segment);
      }
    }
  }

  /** Last index that is durable here. */
  public long durableIndex() {
    return durableIndex;
  }

  /** Bytes of entries ({@link Entry#sizeBytes}) handed over since the last {@link #cut}, {@link #reset} or the start. */
  public synchronized long bytesSinceCut() {
    return appendedBytes;
  }

  /** The next file could not be allocated: refuse new writes while the current one still has room. Clears itself. */
  public boolean spaceLow() {
    return spares.spaceLow();
  }

  /** Those who want to read entries later that a checkpoint covers. */
  public LogHolds holds() {
    return holds;
  }

  /** The segment files, oldest first. */
  public synchronized List<Path> files() {
    return segments.stream().map(Segment::path).toList();
  }

  /**
   * Everything up to {@code checkpointIndex} is durable elsewhere. Entries before the configured number behind it are forgotten; files that it
   * covers are deleted, in the background, as far as
   * more of them are there than are to be kept. {@link #holds} keep more.
   *
   * @throws IllegalArgumentException above {@link #durableIndex}
   */
  public synchronized void cut(long checkpointIndex) {
    if (checkpointIndex > durableIndex) {
      throw new IllegalArgumentException("a checkpoint at " + checkpointIndex + " is ahead of the durable log, which ends at " + durableIndex);
    }
    appendedBytes = 0;
    List<Path> retired = new ArrayList<>();
    long covered = 0;
    for (Segment segment : segments) {
      if (segment == segments.getLast() || index.lastIndexUpTo(segment.sequence(), Long.MAX_VALUE) > checkpointIndex) {
        break;
      }
      covered++;
    }
    long held = spares.spaceLow() ? Long.MAX_VALUE : holds.lowest();
    while (options.maxFilesBehind() > 0 && covered > options.maxFilesBehind()) {
      if (covered <= options.heldFiles() && index.lastIndexUpTo(segments.getFirst().sequence(), Long.MAX_VALUE) >= held) {
        break;
      }
      Segment oldest = segments.removeFirst();
      tail.cut(index.lastIndexUpTo(oldest.sequence(), tail.lastIndex()));
      index.dropUpTo(oldest.sequence());
      retired.add(oldest.path());
      covered--;
    }
    tail.cut(Math.min(checkpointIndex - options.keepEntries(), held - 1));
    if (!retired.isEmpty()) {
      spares.retire(retired);
    }
  }

  /**
   * Empties the log: a snapshot that ends at {@code newBase} was installed. Durable when it returns; a crash leaves either the old log or the new
   * one. Nothing else may be under way.
   *
   * @param term term of that entry
   */
  public void reset(long newBase, long term) throws IOException {
    writing.lock();
    try {
      resetLocked(newBase, term);
    } finally {
      writing.unlock();
    }
  }

  private void resetLocked(long newBase, long term) throws IOException {
    HardState kept;
    List<Path> old;
    synchronized (this) {
      failIfFailed();
      kept = new HardState(state.term(), state.vote(), Math.max(state.commit(), newBase));
      old = files();
      pending = new PendingWrites();
      mustForce = false;
    }
    try {
      writer.roll(true, newBase, term, kept, options.firstSegmentBytes());
    } catch (IOException | RuntimeException e) {
      throw failed(e);
    }
    synchronized (this) {
      state = kept;
      tail.reset(newBase, term);
      index.clear();
      segments.removeIf(segment -> segment != writer.segment());
      appendedBytes = 0;
      durableIndex = newBase;
    }
    options.failPoint().reached("raft.log.after-reset");
    spares.retire(old);
  }

  @Override
  public synchronized long firstIndex() {
    return tail.baseIndex() + 1;
  }

  @Override
  public synchronized long lastIndex() {
    return tail.lastIndex();
  }

  /** The newest entry's term and index, as a pair. */
  public synchronized Position last() {
    return new Position(tail.term(tail.lastIndex()), tail.lastIndex());
  }

  @Override
  public synchronized long term(long at) {
    return tail.term(at);
  }

  @Override
  public List<Entry> entries(long from, long to, long maxBytes) {
    DiskIndex.Plan plan;
    synchronized (this) {
      if (from <= tail.baseIndex()) {
        throw new CompactedException(from, tail.baseIndex() + 1);
      }
      if (to > tail.lastIndex() + 1 || from > to) {
        throw new IndexOutOfBoundsException("entries [" + from + ", " + to + ") of a log that ends at " + tail.lastIndex());
      }
      long cached = tail.cachedFrom();
      if (from >= cached || from == to) {
        List<Entry> out = new ArrayList<>((int) Math.min(to - from, 1024));
        tail.copy(from, to, maxBytes, out);
        return out;
      }
      plan = index.plan(from, Math.min(to, cached));
    }
    // What is in memory behind it is left to the next call.
    try {
      return plan.run(options.disk(), maxBytes);
    } catch (IOException e) {
      if (from < firstIndex()) {
        throw new CompactedException(from, firstIndex());
      }
      throw new UncheckedIOException("cannot read the log at " + directory, e);
    }
  }

  private void failIfFailed() throws IOException {
    if (failure != null) {
      throw new IOException("the log failed before: " + failure.getMessage(), failure);
    }
  }

  private synchronized IOException failed(Exception cause) {
    failure = cause instanceof IOException io ? io : new IOException("writing the log failed: " + cause, cause);
    return failure;
  }

  /** Writes what was handed over, marks the end and makes it durable, unless the log has failed. */
  @Override
  public void close() throws IOException {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    try {
      synchronized (this) {
        if (failure != null) {
          return;
        }
      }
      sync();
      mark();
      writer.force();
    } finally {
      spares.close();
      writer.close();
    }
  }
}
