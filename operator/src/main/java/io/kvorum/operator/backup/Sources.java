package io.kvorum.operator.backup;

import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumClusterStatus.Member;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.api.KvorumMemberStatus.Role;
import java.util.Comparator;
import java.util.Optional;

/** Which member a backup is read from: the healthy follower that lags least, and the leader when there is none. */
final class Sources {
  private Sources() {}

  /** Empty when nobody can be read from now; a member that a procedure has in hand is left alone. */
  static Optional<String> choose(KvorumCluster cluster) {
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
            .thenComparing(member -> member.lagEntries() == null ? Long.MAX_VALUE : member.lagEntries())
            .thenComparing(Member::name))
        .map(Member::name);
  }
}
