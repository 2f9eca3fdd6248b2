package io.kvorum.operator.plan;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Who goes when there are too many: one that the user deleted, a learner, an unhealthy voter, one that no backup is read from, one that shares its zone or
 * node with another, the newest ordinal; the leader only when nobody else could.
 */
public final class VictimChoice {
  private VictimChoice() {}

  /** The victim among all that the cluster has accepted. */
  public static Optional<MemberView> choose(Situation situation) {
    List<MemberView> candidates = situation.members().stream().filter(member -> member.listed().isPresent()).toList();
    return candidates.stream()
        .max(Comparator.comparing((MemberView member) -> member.deletedByUser())
            .thenComparing(member -> !situation.leads(member))
            .thenComparing(member -> member.listed().get().learner())
            .thenComparing(member -> member.broken())
            .thenComparing(member -> !situation.backupSource(member))
            .thenComparing(member -> shares(candidates, member))
            .thenComparing(member -> member.spec().ordinal()));
  }

  /** With how many it shares its node, and then its zone. */
  private static long shares(List<MemberView> all, MemberView member) {
    long node = all.stream().filter(other -> other != member && !node(other).isEmpty() && node(other).equals(node(member))).count();
    long zone = all.stream().filter(other -> other != member && !other.zone().isEmpty() && other.zone().equals(member.zone())).count();
    return node * 100 + zone;
  }

  private static String node(MemberView member) {
    return member.pod().map(pod -> pod.node()).orElse("");
  }
}
