package io.kvorum.operator.plan;

import java.util.Comparator;
import java.util.List;

/**
 * In which order members are restarted: those that do not serve (dead, then starting, then running), then followers by lag, the largest first, the
 * leader last.
 */
public final class RestartOrder {
  private RestartOrder() {}

  /** The members in that order. */
  public static List<MemberView> of(Situation situation, List<MemberView> members) {
    return members.stream()
        .sorted(Comparator.comparing((MemberView member) -> rank(situation, member))
            .thenComparing(member -> situation.backupSource(member))
            .thenComparing(member -> -situation.lag(member).orElse(0L))
            .thenComparing(member -> member.spec().ordinal()))
        .toList();
  }

  /** It serves, or may: a restart takes something away. */
  public static boolean serves(Situation situation, MemberView member) {
    return rank(situation, member) >= 3;
  }

  private static int rank(Situation situation, MemberView member) {
    if (!member.podReady() && member.answer().isEmpty()) {
      boolean dead = member.pod().isEmpty() || !member.pod().get().started();
      boolean crashed = member.pod().map(pod -> pod.restarts() > 0 || !pod.waitingReason().isEmpty()).orElse(true);
      return dead && crashed ? 0 : dead ? 1 : 2;
    }
    return situation.leads(member) ? 4 : 3;
  }
}
