package io.kvorum.operator.backup;

import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumClusterStatus.Member;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.api.KvorumMemberStatus.Role;
import java.util.Comparator;
import java.util.Optional;

/**
 * Which member a backup is read from: the healthy follower that the last backup was read from, while it keeps up, because members cut their segments at different
 * places and another one's would all be new; else the follower that lags least; the leader when there is none.
 */
final class Sources {
  /** A follower that lags by more log entries has another one take its place. */
  static final long LAG_ENTRIES_MAX = 1_000;

  private Sources() {}

  /** As the other method, without a member that is preferred. */
  static Optional<String> choose(KvorumCluster cluster) {
    return choose(cluster, "");
  }

  /**
   * Empty when nobody can be read from now; a member that a procedure has in hand is left alone.
   *
   * @param last the member that the last backup in the same place was read from; empty for none
   */
  static Optional<String> choose(KvorumCluster cluster, String last) {
    KvorumClusterStatus status = cluster.getStatus() == null ? KvorumClusterStatus.EMPTY : cluster.getStatus();
    boolean quorum = status.condition("QuorumAvailable").map(condition -> condition.status() == Condition.Status.TRUE).orElse(false);
    if (!quorum || status.clusterID().isEmpty()) {
      return Optional.empty();
    }
    String busy = status.currentAction() == null ? "" : status.currentAction().member();
    return status.members().stream()
        .filter(member -> Boolean.TRUE.equals(member.ready()) && member.phase() == Phase.VOTING && !member.name().equals(busy))
        .filter(member -> member.role() == Role.VOTER || member.role() == Role.LEADER)
        .min(Comparator.comparing((Member member) -> member.role() == Role.LEADER)
            .thenComparing(member -> !member.name().equals(last) || lag(member) > LAG_ENTRIES_MAX)
            .thenComparing(Sources::lag)
            .thenComparing(Member::name))
        .map(Member::name);
  }

  private static long lag(Member member) {
    return member.lagEntries() == null ? Long.MAX_VALUE : member.lagEntries();
  }
}
