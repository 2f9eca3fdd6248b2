package io.kvorum.raft.node;

import io.kvorum.raft.Entry;
import io.kvorum.raft.FailPoint;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.core.RaftCore;
import io.kvorum.raft.log.SegmentedLog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Moves the state machine along the log. Raft thread only.
 *
 * <ol>
 *   <li>Committed entries, which are durable here, are applied in order; a change of the membership goes to the core if the state machine
 *       accepted it.
 *   <li>The batch is published and its callers answered (endBatch).
 *   <li>If the state machine wants one, a checkpoint is taken at the applied index, then the log is cut. A crash in between only leaves more log
 *       than is needed.
 * </ol>
 */
final class Applier {
  private final long id;
  private final RaftCore core;
  private final SegmentedLog log;
  private final StateMachine machine;
  private final FailPoint failPoint;
  private final Snapshots snapshots;
  private long applied;
  private long appliedTerm;
  private long bytesSinceCheckpoint;
  private boolean removed;

  /** The newest state that a follower can be sent. */
  static final class Snapshots {
    private SnapshotMeta newest;

    Snapshots(SnapshotMeta start) {
      this.newest = start.index() > 0 ? start : SnapshotMeta.NONE;
    }

    SnapshotMeta newest() {
      return newest;
    }
  }

  Applier(long id, RaftCore core, SegmentedLog log, StateMachine machine, FailPoint failPoint, SnapshotMeta start, Snapshots snapshots) {
    this.id = id;
    this.core = core;
    this.log = log;
    this.machine = machine;
    this.failPoint = failPoint;
    this.snapshots = snapshots;
    this.applied = start.index();
    this.appliedTerm = start.term();
  }

  long applied() {
    return applied;
  }

  /** Term of the last applied entry. */
  long appliedTerm() {
    return appliedTerm;
  }

  /** This member's removal was applied. */
  boolean removed() {
    return removed;
  }

  void apply(List<Entry> committed) throws IOException {
    if (committed.isEmpty()) {
      return;
    }
    for (Entry entry : committed) {
      if (entry.index() != applied + 1) {
        throw new IllegalStateException("entry " + entry.index() + " was committed after " + applied);
      }
      switch (entry.type()) {
        case NORMAL -> machine.apply(entry);
        case MEMBERSHIP -> applyMembership(entry);
      }
      applied = entry.index();
      appliedTerm = entry.term();
      bytesSinceCheckpoint += entry.sizeBytes();
    }
    machine.endBatch(applied);
    core.applied(applied);
    if (machine.wantsCheckpoint(bytesSinceCheckpoint)) {
      checkpoint();
    }
  }

  private void applyMembership(Entry entry) {
    MembershipChange change = MembershipChange.decode(entry.data());
    Membership after = core.status().membership().with(change);
    boolean accepted = machine.applyMembership(entry, change, after);
    core.applyMembership(change, accepted);
    removed |= accepted && change.kind() == MembershipChange.Kind.REMOVE && change.memberId() == id;
  }

  /** Takes a checkpoint unless one is at the applied index already. */
  void checkpoint() throws IOException {
    if (applied == snapshots.newest.index()) {
      return;
    }
    if (applied > log.durableIndex()) {
      throw new IllegalStateException("applied " + applied + " before it was durable, " + log.durableIndex());
    }
    failPoint.reached("raft.node.before-checkpoint");
    SnapshotMeta taken = machine.checkpoint(new SnapshotMeta(applied, appliedTerm, core.status().membership()));
    failPoint.reached("raft.node.after-checkpoint");
    bytesSinceCheckpoint = 0;
    snapshots.newest = taken;
    log.cut(taken.index());
  }

  /** Replaces state machine and log by received files; nothing may be under way in the log. */
  void install(SnapshotMeta meta, Path directory) throws IOException {
    machine.install(meta, directory);
    failPoint.reached("raft.node.after-install");
    log.reset(meta.index(), meta.term());
    applied = meta.index();
    appliedTerm = meta.term();
    bytesSinceCheckpoint = 0;
    snapshots.newest = meta;
    core.installed(meta);
  }
}
