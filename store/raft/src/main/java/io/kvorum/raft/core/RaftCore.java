package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.HardState;
import io.kvorum.raft.LogView;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.node.RaftStatus;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * The Raft protocol as a deterministic state machine: no threads, clock, disk, network or randomness inside. Called by one thread. See {@link Ready} for the order in which
 * its results are to be carried out.
 */
public final class RaftCore {
  public RaftCore(RaftConfig config, HardState hardState, Membership membership, long applied, LogView log, IntUnaryOperator jitter) {
    throw new IllegalStateException("not built yet");
  }

  /** One unit of logical time. */
  public native void tick();

  public native void step(Message message);

  /** Leader: appends entries for the requests and starts replicating them. Follower with a known leader: forwards. Returns false when neither is possible now (no leader, transfer under way, too much in flight). */
  public native boolean propose(List<byte[]> requests, long nowMillis);

  public native MembershipProposal proposeMembership(MembershipChange change, long nowMillis);

  /** ACCEPTED, or why not. */
  public enum MembershipProposal {
    ACCEPTED,
    FORWARDED,
    NO_LEADER,
    CHANGE_IN_PROGRESS,
    NO_COMMIT_IN_TERM,
    TRANSFER_IN_PROGRESS
  }

  public native void readIndex(long context);

  public native void transferLeadership(long target);

  /** Campaigns at once by a pre-vote (its leader's connection closed). */
  public native void leaderLost(long leader);

  public native void reportUnreachable(long member);

  public native void reportSnapshot(long member, boolean installed);

  public native boolean hasReady();

  public native Ready ready();

  /** Everything up to this entry of the newest Ready that carried it is durable. */
  public native void persisted(long index, long term);

  /** The snapshot of the last Ready is installed. */
  public native void installed(SnapshotMeta snapshot);

  public native void applied(long index);

  /** Adopts an accepted change; called for each MEMBERSHIP entry while applying (accepted = false: it had no effect). */
  public native void applyMembership(MembershipChange change, boolean accepted);

  public native RaftStatus status();
}
