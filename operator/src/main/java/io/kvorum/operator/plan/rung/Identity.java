package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.StoreState.ListedMember;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import java.util.Optional;

/** Rung 3: members answer for different clusters, or somebody votes whom nobody knows. Everything freezes until a person has looked. */
public final class Identity implements Rung {
  /** What is wrong. */
  public enum Problem {
    SPLIT_BRAIN,
    FOREIGN_MEMBER
  }

  /** What is wrong with the identity, and words for it. */
  public record Finding(Problem problem, String message) {}

  @Override
  public boolean decide(Situation situation, Draft draft) {
    Optional<Finding> finding = find(situation);
    if (finding.isEmpty()) {
      return false;
    }
    if (situation.status().condition("ClusterIdentityConsistent").map(condition -> condition.message().equals(finding.get().message())).orElse(false)) {
      draft.progress(Reason.FROZEN, finding.get().message());
      return true;
    }
    draft.event(EventReason.IDENTITY_BROKEN, "", finding.get().message());
    draft.progress(Reason.FROZEN, finding.get().message());
    return true;
  }

  /** The first thing that is wrong. A quorum recovery and a restore change the identity on purpose. */
  public static Optional<Finding> find(Situation situation) {
    if (situation.recovering()) {
      return Optional.empty();
    }
    long expected = situation.clusterId() != 0
        ? situation.clusterId() : situation.members().stream().flatMap(member -> member.answer().stream()).mapToLong(answer -> answer.clusterId()).findFirst().orElse(0);
    Optional<MemberView> other = situation.members().stream()
        .filter(member -> member.answer().map(answer -> answer.clusterId() != 0 && answer.clusterId() != expected).orElse(false)).findFirst();
    if (other.isPresent()) {
      return Optional.of(new Finding(Problem.SPLIT_BRAIN, other.get().name() + " answers for cluster " + Api.id(other.get().answer().orElseThrow().clusterId())
          + " and not for " + Api.id(expected)));
    }
    return situation.strangers().stream().filter(entry -> !entry.learner()).findFirst().map(Identity::stranger);
  }

  private static Finding stranger(ListedMember entry) {
    return new Finding(Problem.FOREIGN_MEMBER, "a voter is in the member list that no KvorumMember stands for: " + Api.id(entry.id()) + " at " + entry.peerUrls());
  }
}
