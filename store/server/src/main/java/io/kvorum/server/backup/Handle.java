package io.kvorum.server.backup;

import io.grpc.Status;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.raft.log.LogHolds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** One frozen state and what it keeps from going away. Any thread; closing waits for a read of a file that is under way, which is short, and a hash that is under way outlives it. */
final class Handle implements AutoCloseable {
  final String id;
  final String run;
  final MemberState.Frozen frozen;
  final int limitSeconds;
  private final SnapshotFiles files;
  private final LogHolds.Hold hold;
  private final LongSupplier nanoTime;
  private volatile long used;
  private ReadView.HashResult hash;
  private boolean hashing;
  private boolean closed;

  /**
   * @param run who holds it
   * @param files null when only the log is wanted
   */
  Handle(String id, String run, MemberState.Frozen frozen, SnapshotFiles files, LogHolds.Hold hold, int limitSeconds, LongSupplier nanoTime) {
    this.id = id;
    this.run = run;
    this.frozen = frozen;
    this.files = files;
    this.hold = hold;
    this.limitSeconds = limitSeconds;
    this.nanoTime = nanoTime;
    this.used = nanoTime.getAsLong();
  }

  /** Begins the time limit anew. */
  void touch() {
    used = nanoTime.getAsLong();
  }

  /** A hash that is under way is use. */
  synchronized boolean expired() {
    return !hashing && nanoTime.getAsLong() - used > TimeUnit.SECONDS.toNanos(limitSeconds);
  }

  /** As {@link SnapshotFiles#read}. */
  synchronized int read(String name, long offset, ByteBuffer into) throws IOException {
    requireOpen();
    return files.read(name, offset, into);
  }

  /** Length of one of the files. */
  synchronized long length(String name) {
    requireOpen();
    if (files != null) {
      for (SnapshotFiles.Entry entry : files.entries()) {
        if (entry.name().equals(name)) {
          return entry.length();
        }
      }
    }
    throw Status.NOT_FOUND.withDescription("the backup has no file " + name).asRuntimeException();
  }

  /** The content hash. It is computed once; after that the history is not needed any more. */
  ReadView.HashResult hash() {
    synchronized (this) {
      requireOpen();
      if (hash != null) {
        return hash;
      }
      if (hashing) {
        throw Status.FAILED_PRECONDITION.withDescription("the content hash of this backup is being computed").asRuntimeException();
      }
      hashing = true;
    }
    ReadView.HashResult result = null;
    try {
      result = frozen.view().hash(0);
      return result;
    } finally {
      synchronized (this) {
        hashing = false;
        hash = result;
        touch();
        if (closed || hash != null) {
          frozen.view().close();
        }
      }
    }
  }

  private void requireOpen() {
    if (closed) {
      throw Handles.ended();
    }
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      hold.close();
      if (!hashing) {
        frozen.view().close();
      }
      if (files != null) {
        files.close();
      }
    }
  }
}
