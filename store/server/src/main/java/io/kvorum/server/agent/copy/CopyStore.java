package io.kvorum.server.agent.copy;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.mvcc.StoreClosedException;
import io.kvorum.mvcc.WriteTxn;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;

/**
 * The copy for its readers: one object whose content may be replaced by a fresh base, or be missing. Its revision never goes back. Without content, views are refused, and all
 * history counts as compacted.
 */
final class CopyStore implements MvccStore {
  private volatile MvccStore content;

  /** Newest revision of what was here before. */
  private volatile long highest = 1;

  /** @return the content before, null for none; the caller closes it */
  MvccStore replace(MvccStore next) {
    MvccStore before = content;
    highest = revision();
    content = next;
    return before;
  }

  boolean holds(MvccStore store) {
    return content == store;
  }

  boolean hasContent() {
    return content != null;
  }

  /** The content at hand; one that was replaced just now gives way to the next. */
  private ReadView viewOf(MvccStore store) {
    MvccStore at = store;
    while (true) {
      if (at == null) {
        throw new StoreClosedException();
      }
      try {
        return at.view();
      } catch (StoreClosedException replaced) {
        if (at == content) {
          throw replaced;
        }
        at = content;
      }
    }
  }

  @Override
  public ReadView view() {
    return viewOf(content);
  }

  @Override
  public long revision() {
    MvccStore at = content;
    long before = highest;
    try {
      return at == null ? before : Math.max(before, at.revision());
    } catch (StoreClosedException replaced) {
      return highest;
    }
  }

  @Override
  public long compactRevision() {
    MvccStore at = content;
    try {
      return at == null ? highest : at.compactRevision();
    } catch (StoreClosedException replaced) {
      return highest;
    }
  }

  @Override
  public long sizeBytes() {
    MvccStore at = content;
    return at == null ? 0 : at.sizeBytes();
  }

  @Override
  public long sizeInUseBytes() {
    MvccStore at = content;
    return at == null ? 0 : at.sizeInUseBytes();
  }

  @Override
  public long openViews() {
    MvccStore at = content;
    return at == null ? 0 : at.openViews();
  }

  @Override
  public boolean spaceLow() {
    return false;
  }

  @Override
  public boolean wantsCheckpoint() {
    return false;
  }

  @Override
  public Checkpoint checkpoint() {
    return Checkpoint.NONE;
  }

  @Override
  public WriteTxn begin() {
    throw readOnly();
  }

  @Override
  public void compact(long revision) {
    throw readOnly();
  }

  @Override
  public void publish() {
    throw readOnly();
  }

  @Override
  public CompletableFuture<Void> physicalCompaction() {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public CompletableFuture<Void> defragment() {
    return CompletableFuture.completedFuture(null);
  }

  @Override
  public void checkpoint(long index, long term, byte[] machineState) {
    throw readOnly();
  }

  @Override
  public void forEachLeased(BiConsumer<byte[], Long> keyAndLease) {
    throw readOnly();
  }

  @Override
  public SnapshotFiles snapshot() {
    throw readOnly();
  }

  @Override
  public List<String> missing(List<SnapshotFiles.Entry> offered) {
    throw readOnly();
  }

  @Override
  public void install(Path receivedDirectory) {
    throw readOnly();
  }

  private static UnsupportedOperationException readOnly() {
    return new UnsupportedOperationException("the copy of a cluster is changed by that cluster alone");
  }

  @Override
  public void close() {
    MvccStore last = replace(null);
    if (last != null) {
      last.close();
    }
  }
}
