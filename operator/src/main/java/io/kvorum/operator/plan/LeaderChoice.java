package io.kvorum.operator.plan;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Who should lead next: a healthy voter that has caught up, on a node that stays. One that itself stays goes first, then one that already has the
 * wanted template, then one in a preferred
 * zone, then the smallest lag in hundreds of entries, then another zone than the present leader's, then the one that runs longest (a process that has just been
 * started is not warm yet), then the smallest ordinal.
 */
public final class LeaderChoice {
  /** A busy follower is some entries behind at any moment. */
  private static final long LAG_STEP = 100;

  private LeaderChoice() {}

  /** @param except names that do not come into question: the one that leadership leaves, and those that were tried */
  public static Optional<MemberView> choose(Situation situation, List<String> except) {
    List<String> zones = situation.spec().preferredZones();
    String present = situation.leading().map(MemberView::zone).orElse("");
    return situation.voters().stream()
        .filter(voter -> !except.contains(voter.name()) && !situation.leads(voter))
        .filter(voter -> suits(situation, voter))
        .min(Comparator.comparing((MemberView voter) -> voter.deletedByUser())
            .thenComparing(voter -> situation.outdated(voter))
            .thenComparing(voter -> rank(zones, voter.zone()))
            .thenComparing(voter -> situation.lag(voter).orElse(Long.MAX_VALUE) / LAG_STEP)
            .thenComparing(voter -> voter.zone().equals(present))
            .thenComparing(voter -> voter.pod().map(pod -> pod.createdAt()).orElse(Instant.MAX))
            .thenComparing(voter -> voter.spec().ordinal()));
  }

  /** It could lead now. */
  public static boolean suits(Situation situation, MemberView voter) {
    return situation.healthy(voter) && situation.caughtUp(voter) && !leaving(voter);
  }

  /** Its place is about to go away: the node is cordoned, evicts or does not report, or the pod is on its way out. */
  public static boolean leaving(MemberView member) {
    return member.pod().map(pod -> pod.terminating()).orElse(true)
        || member.node().map(node -> node.cordoned() || node.noExecute() || !node.ready() || !node.present()).orElse(false);
  }

  /** How far down the list of wanted zones a zone is; after all of them when it is not there. */
  public static int rank(List<String> zones, String zone) {
    int index = zones.indexOf(zone);
    return index < 0 ? zones.size() : index;
  }
}
