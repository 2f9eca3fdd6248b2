package io.kvorum.server.cluster;

import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.EtcdError;
import java.util.List;

/**
 * etcd's checks before a membership change enters the log: with --strict-reconfig-check, whether the cluster keeps a quorum of started and
 * connected voters. Early refusals only; the log decides. All methods return null for "go on", else the refusal.
 */
public final class ReconfigRules {
  /** How long a connection must have been up to count, milliseconds. */
  static final long HEALTHY_MILLIS = 5_000;

  private final boolean strict;
  private final long self;
  private final Connectivity connectivity;

  /**
   * @param strict --strict-reconfig-check
   * @param self this member's id
   */
  public ReconfigRules(boolean strict, long self, Connectivity connectivity) {
    this.strict = strict;
    this.self = self;
    this.connectivity = connectivity;
  }

  public EtcdError mayAdd(ClusterView view, boolean learner) {
    if (!strict) {
      return null;
    }
    List<Member> voters = view.voters();
    long started = voters.stream().filter(Member::isStarted).count();
    int after = voters.size() + 1;
    // One started member of one may grow, although the second will be down at first: how else would a cluster grow.
    boolean growsFromOne = started == 1 && voters.size() == 1;
    if (!learner && !growsFromOne && started < quorum(after)) {
      return EtcdError.NOT_ENOUGH_STARTED_MEMBERS;
    }
    // The new member is counted as down.
    return voters.size() == 1 || healthy(voters) >= quorum(after) ? null : EtcdError.UNHEALTHY_CLUSTER;
  }

  public EtcdError mayRemove(ClusterView view, long id) {
    Member target = view.member(id);
    if (!strict || (target != null && target.learner())) {
      return null;
    }
    List<Member> voters = view.voters();
    List<Member> rest = voters.stream().filter(m -> m.id() != id).toList();
    long started = rest.stream().filter(Member::isStarted).count();
    if (rest.isEmpty() || started < quorum(rest.size())) {
      return EtcdError.NOT_ENOUGH_STARTED_MEMBERS;
    }
    if (id != self && connectivity.connectedMillis(id) < 0) {
      // It is not part of the active quorum anyway.
      return null;
    }
    return healthy(voters) - 1 >= quorum(voters.size() - 1) ? null : EtcdError.UNHEALTHY_CLUSTER;
  }

  /**
   * On the leader alone: whether a learner has caught up, and whether a quorum of started voters remains.
   *
   * @param status of the leader
   */
  public EtcdError mayPromote(ClusterView view, long id, RaftStatus status) {
    if (!status.isLeader()) {
      return EtcdError.NOT_LEADER;
    }
    long match;
    if (id == self) {
      match = status.lastIndex();
    } else if (status.followers().get(id) != null) {
      match = status.followers().get(id).match();
    } else {
      return EtcdError.MEMBER_NOT_FOUND;
    }
    if (match < 0.9 * status.lastIndex()) {
      return EtcdError.LEARNER_NOT_READY;
    }
    if (!strict) {
      return null;
    }
    List<Member> voters = view.voters();
    long started = voters.stream().filter(Member::isStarted).count() + 1;
    return started >= quorum(voters.size() + 1) ? null : EtcdError.NOT_ENOUGH_STARTED_MEMBERS;
  }

  private long healthy(List<Member> voters) {
    return voters.stream().filter(m -> m.id() == self || connectivity.connectedMillis(m.id()) > HEALTHY_MILLIS).count();
  }

  private static int quorum(int members) {
    return members / 2 + 1;
  }
}
