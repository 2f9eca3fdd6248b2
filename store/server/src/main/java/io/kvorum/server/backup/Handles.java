package io.kvorum.server.backup;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.raft.log.LogHolds;
import io.kvorum.server.logging.Log;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/** The frozen states that callers hold: four at most, each until it ends or has not been used for its time limit. */
final class Handles implements AutoCloseable {
  private static final Log LOG = Log.of(Handles.class);
  /** How the message of an OUT_OF_RANGE begins when a delta cannot go on. */
  static final String DELTA_GAP = "DeltaGap: ";

  static final int HANDLES_MAX = 4;
  private static final int LIMIT_SECONDS = 60;
  private static final int LIMIT_SECONDS_MAX = 600;
  private static final int ID_BYTES = 16;

  private final MemberState member;
  private final RandomGenerator random;
  private final LongSupplier nanoTime;
  private final Map<String, Handle> open = new LinkedHashMap<>();
  private int beginning;
  private boolean closed;

  Handles(MemberState member, RandomGenerator random, LongSupplier nanoTime) {
    this.member = member;
    this.random = random;
    this.nanoTime = nanoTime;
  }

  static StatusRuntimeException ended() {
    return Status.NOT_FOUND.withDescription("the backup's handle has ended").asRuntimeException();
  }

  /** The log does not go back far enough, or is another one. */
  static StatusRuntimeException gap(String what) {
    return Status.OUT_OF_RANGE.withDescription(DELTA_GAP + what).asRuntimeException();
  }

  /** What was begun, and the files of a full backup, the manifest first. */
  record Begun(Handle handle, io.kvorum.mvcc.MvccStore.Checkpoint checkpoint, List<SnapshotFiles.Entry> files) {}

  /**
   * Freezes.
   *
   * <ol>
   *   <li>The log is held, so that no checkpoint from here on cuts what is needed.
   *   <li>For a full backup the newest checkpoint is pinned; for one that goes on behind an entry, that entry must be this log's.
   *   <li>The newest state is frozen: it is not behind the checkpoint.
   * </ol>
   *
   * @param run what it held before ends; empty for nobody
   * @param afterIndex 0 for a full backup
   * @throws StatusRuntimeException when there are too many, the log is cut or another one, or this member is behind
   */
  Begun begin(String run, long afterIndex, long afterTerm, int limitSeconds) throws InterruptedException {
    endFormer(run);
    reserve();
    LogHolds.Hold hold = member.log().holds().hold(afterIndex + 1);
    SnapshotFiles files = null;
    MemberState.Frozen frozen = null;
    Handle handle = null;
    try {
      files = afterIndex == 0 ? member.store().snapshot() : null;
      frozen = frozen();
      if (afterIndex > frozen.index()) {
        throw Status.FAILED_PRECONDITION
            .withDescription("this member has applied the log up to " + frozen.index() + " only, the backup goes up to " + afterIndex)
            .asRuntimeException();
      }
      if (!member.holds(afterIndex, afterTerm)) {
        throw gap("entry " + afterIndex + " of term " + afterTerm + " is not in the log, which begins at " + member.log().firstIndex());
      }
      if (files != null) {
        hold.moveTo(files.checkpoint().index() + 1);
      }
      int limit = limitSeconds <= 0 ? LIMIT_SECONDS : Math.min(limitSeconds, LIMIT_SECONDS_MAX);
      handle = new Handle(newId(), run, frozen, files, hold, limit, nanoTime);
      return new Begun(handle, files == null ? null : files.checkpoint(), files == null ? List.of() : files.entries());
    } finally {
      settle(handle);
      if (handle == null) {
        hold.close();
        if (frozen != null) {
          frozen.view().close();
        }
        if (files != null) {
          files.close();
        }
      }
    }
  }

  private void endFormer(String run) {
    List<Handle> former;
    synchronized (this) {
      former = open.values().stream().filter(handle -> !run.isEmpty() && handle.run.equals(run)).toList();
      former.forEach(handle -> open.remove(handle.id));
    }
    former.forEach(Handle::close);
  }

  private MemberState.Frozen frozen() throws InterruptedException {
    try {
      return member.freeze().get();
    } catch (ExecutionException stopping) {
      throw io.kvorum.server.base.EtcdError.SERVER_STOPPED.exception();
    }
  }

  private synchronized void reserve() {
    if (closed || open.size() + beginning >= HANDLES_MAX) {
      throw Status.RESOURCE_EXHAUSTED.withDescription("too many backups at a time: " + HANDLES_MAX).asRuntimeException();
    }
    beginning++;
  }

  private synchronized void settle(Handle handle) {
    beginning--;
    if (handle != null) {
      open.put(handle.id, handle);
      if (closed) {
        handle.close();
      }
    }
  }

  private String newId() {
    byte[] id = new byte[ID_BYTES];
    random.nextBytes(id);
    return HexFormat.of().formatHex(id);
  }

  /**
   * The handle of that id, used now.
   *
   * @throws StatusRuntimeException when it has ended
   */
  synchronized Handle use(String id) {
    Handle handle = open.get(id);
    if (handle == null) {
      throw ended();
    }
    handle.touch();
    return handle;
  }

  /** Ends one; it may have ended before. */
  void end(String id) {
    Handle handle;
    synchronized (this) {
      handle = open.remove(id);
    }
    if (handle != null) {
      handle.close();
    }
  }

  /** Ends those whose callers have vanished; to be called every few seconds. */
  void sweep() {
    List<Handle> expired;
    synchronized (this) {
      expired = open.values().stream().filter(Handle::expired).toList();
      expired.forEach(handle -> open.remove(handle.id));
    }
    for (Handle handle : expired) {
      LOG.warn("ended a backup that nobody used", "limit-seconds", handle.limitSeconds, "index", handle.frozen.index());
      handle.close();
    }
  }

  @Override
  public void close() {
    List<Handle> all;
    synchronized (this) {
      closed = true;
      all = List.copyOf(open.values());
      open.clear();
    }
    all.forEach(Handle::close);
  }
}
