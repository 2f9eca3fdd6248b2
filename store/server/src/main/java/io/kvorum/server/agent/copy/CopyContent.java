package io.kvorum.server.agent.copy;

import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.WriteTxn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * One content of the copy, from its base on, in a folder of its own. Belongs to the thread that follows the cluster.
 *
 * <p>Bounds: the floor follows the newest revision at a distance of {@code historyRevisions} mirrored ones, 512 at least, and up to an eighth more. When the records
 * still take more than {@code maxBytes}, all history is given up; when the live ones alone take more than seven eighths of that, the content is too large.
 */
final class CopyContent implements AutoCloseable {
  static final int STEP_MIN = 64;
  private static final int STEPS = 8;

  /** What may come on top, at least, while history is being removed. */
  private static final long OVERSHOOT_BYTES = 64L << 20;

  private final Path directory;
  private final MvccStore store;
  private final long maxBytes;
  private final int step;
  private final Deque<Long> marks = new ArrayDeque<>();
  private long sinceMark;
  private CompletableFuture<Void> squeezing;

  /** Bytes appended since history was last given up. */
  private long appended;

  private CopyContent(Path directory, MvccStore store, long maxBytes, long historyRevisions) {
    this.directory = directory;
    this.store = store;
    this.maxBytes = maxBytes;
    this.step = (int) Math.clamp(historyRevisions / STEPS, STEP_MIN, Integer.MAX_VALUE);
  }

  /**
   * A fresh one.
   *
   * @param directory empty or not there
   * @param base all live pairs of one revision, by ascending mod_revision
   */
  static CopyContent of(Path directory, Base base, long maxBytes, long historyRevisions) throws IOException {
    MvccStore store = MvccStore.open(directory, new MvccOptions(0, false, FailPoint.NONE));
    boolean filled = false;
    try {
      WriteTxn txn = store.begin();
      try {
        base.pairs().forEach(txn::copy);
        txn.advance(base.revision());
      } finally {
        txn.end();
      }
      store.compact(base.revision());
      store.publish();
      filled = true;
      return new CopyContent(directory, store, maxBytes, historyRevisions);
    } finally {
      if (!filled) {
        store.close();
        delete(directory);
      }
    }
  }

  /** What the live records may take, bytes. */
  static long liveBytesMax(long maxBytes) {
    return maxBytes / 8 * 7;
  }

  MvccStore store() {
    return store;
  }

  long revision() {
    return store.revision();
  }

  /**
   * Takes the changes of all revisions up to one and shows them.
   *
   * @return whether the floor moved
   */
  boolean apply(long revision, List<Change> changes) throws IOException {
    WriteTxn txn = store.begin();
    try {
      for (Change change : changes) {
        txn.copy(change);
        appended += change.encoded().length;
      }
      txn.advance(revision);
    } finally {
      txn.end();
    }
    boolean compacted = bound(changes);
    store.publish();
    if (store.wantsCheckpoint()) {
      // Lets the files of rewritten segments go.
      store.checkpoint(0, 0, new byte[0]);
    }
    return compacted;
  }

  private boolean bound(List<Change> changes) {
    long floor = 0;
    long main = 0;
    for (Change change : changes) {
      sinceMark += change.main() == main ? 0 : 1;
      main = change.main();
      if (sinceMark >= step) {
        sinceMark = 0;
        marks.add(main);
        floor = marks.size() > STEPS ? marks.remove() : floor;
      }
    }
    if (floor > store.compactRevision()) {
      store.compact(floor);
      return true;
    }
    return false;
  }

  /**
   * Gives up history when the records take more than they may. Asked again and again.
   *
   * @return {@code true} when that was not enough
   */
  boolean tooLarge() {
    long bytes = store.sizeInUseBytes();
    if (squeezing != null && squeezing.isDone()) {
      squeezing = null;
      if (bytes - appended > liveBytesMax(maxBytes)) {
        return true;
      }
    }
    if (squeezing == null && bytes > maxBytes) {
      appended = 0;
      if (store.compactRevision() < store.revision()) {
        marks.clear();
        sinceMark = 0;
        store.compact(store.revision());
        store.publish();
      }
      squeezing = store.physicalCompaction();
    }
    return bytes > maxBytes + Math.max(maxBytes, OVERSHOOT_BYTES);
  }

  /** Takes the files away too; views that are open keep what they show. */
  @Override
  public void close() {
    store.close();
    delete(directory);
  }

  /** Removes a folder with all that is in it, when it is there. */
  static void delete(Path directory) {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
