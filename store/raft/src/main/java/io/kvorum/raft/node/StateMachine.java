package io.kvorum.raft.node;

import io.kvorum.raft.Entry;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.SnapshotMeta;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * What the log is applied to. Every method but {@link #snapshot} is called on the raft thread, in log order, and must not block on the network.
 * Applying is deterministic: no clock, no randomness.
 */
public interface StateMachine {
  /** Index of the last entry whose effect the state machine holds durably or in memory. */
  long appliedIndex();

  /**
   * Applies one entry of type NORMAL. Nothing becomes visible to readers before {@link #endBatch}.
   *
   * @param entry the entry; empty data (a leader's first entry) only moves the applied index
   */
  void apply(Entry entry);

  /**
   * Applies one entry of type MEMBERSHIP.
   *
   * @return whether the change was accepted; if so consensus adopts it, on every member alike
   */
  boolean applyMembership(Entry entry, MembershipChange change, Membership membershipAfter);

  /**
   * All committed entries that were at hand have been applied: publish the new state, then complete the waiting calls.
   *
   * @param appliedIndex index of the last entry of the batch
   */
  void endBatch(long appliedIndex);

  /** Called on the raft thread whenever role, term or leader changed, after the state was updated. */
  void leadershipChanged(RaftStatus status);

  /**
   * Whether a checkpoint should be taken now (size of the log since the last one, budget of the active segment). The driver then calls {@link
   * #checkpoint}.
   *
   * @param logBytesSinceCheckpoint bytes appended to the log since the last checkpoint
   */
  boolean wantsCheckpoint(long logBytesSinceCheckpoint);

  /**
   * Makes everything up to the applied index durable apart from the log. Index and term are those of the last applied entry, which is durable in the
   * log.
   *
   * @return the index that is now durable; the log may be cut up to it
   */
  SnapshotMeta checkpoint(SnapshotMeta appliedPosition) throws IOException;

  /**
   * Replaces the whole state by received snapshot files (already complete in {@code directory}) and makes it durable, before the log is reset.
   * Called with a crash-safe order: when it returns, a restart finds the new state.
   */
  void install(SnapshotMeta meta, Path directory) throws IOException;
}
