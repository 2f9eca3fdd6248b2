package io.kvorum.server.propose;

import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.EtcdError;

/**
 * When this member last gained or lost sight of a leader, to tell a caller why its write timed out. Written by the raft thread, read by the timer.
 */
final class LeadershipHistory {
  /**
   * @param leader 0 for none
   * @param sinceNanos when it became so
   */
  private record Sight(long leader, long sinceNanos) {}

  private final long electionNanos;
  private volatile Sight sight;

  LeadershipHistory(long nowNanos, long electionNanos) {
    this.electionNanos = electionNanos;
    this.sight = new Sight(0, nowNanos);
  }

  void changed(RaftStatus status, long nowNanos) {
    if (status.leader() != sight.leader()) {
      sight = new Sight(status.leader(), nowNanos);
    }
  }

  /**
   * Why a write that began at {@code startNanos} has no outcome, by etcd's rules: a write that never saw a leader was never proposed at all; one that began within
   * two election timeouts before the present leader was elected probably died with the former one; and a leader that no quorum answers has lost its connections.
   */
  EtcdError reason(long startNanos, RaftStatus status) {
    Sight now = sight;
    if (now.leader() == 0) {
      return startNanos - now.sinceNanos() >= 0 ? EtcdError.DEADLINE_EXCEEDED : EtcdError.TIMED_OUT;
    }
    long beforeElection = now.sinceNanos() - startNanos;
    if (beforeElection > 0 && beforeElection < 2 * electionNanos) {
      return EtcdError.TIMED_OUT_LEADER_FAILURE;
    }
    return status != null && status.isLeader() && !hearsQuorum(status) ? EtcdError.TIMED_OUT_CONNECTION_LOST : EtcdError.TIMED_OUT;
  }

  private static boolean hearsQuorum(RaftStatus status) {
    int heard = status.membership().isVoter(status.id()) ? 1 : 0;
    for (long voter : status.membership().voters()) {
      RaftStatus.FollowerProgress progress = status.followers().get(voter);
      if (voter != status.id() && progress != null && progress.recentlyActive()) {
        heard++;
      }
    }
    return heard >= status.membership().quorum();
  }
}
