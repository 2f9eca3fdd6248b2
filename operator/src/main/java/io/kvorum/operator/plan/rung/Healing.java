package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.HealingSpec;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.RestartOrder;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.guard.Guard;
import io.kvorum.operator.plan.guard.Guard.Blocked;
import io.kvorum.operator.plan.guard.Guards;
import io.kvorum.operator.plan.procedure.RemoveMember;
import io.kvorum.operator.plan.procedure.RestartMember;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * Rung 9: voters that are not well, and those that the user wants replaced.
 *
 * <ol>
 *   <li>No pod but a volume: a pod, at once.
 *   <li>No volume any more, or deleted by the user: replaced, when quorum holds without it.
 *   <li>On a node that does not report: nothing, since the old process may still run there.
 *   <li>Unhealthy for {@code replaceAfter}: replaced. Before that, each {@code recreateAfter}, its pod is deleted, at most {@code maxAttempts} times.
 * </ol>
 *
 * A pod that its own template keeps from running (a wrong image, or the first of a rollout that fails) is no reason to throw a good volume away.
 */
public final class Healing implements Rung {
  /** Reason: unhealthy for too long. */
  public static final String UNHEALTHY = "Unhealthy";

  /** Reason: its volume is gone. */
  public static final String VOLUME_LOST = "VolumeLost";

  /** Reason: the user deleted the member object. */
  public static final String DELETED = "DeletedByUser";

  private static final Set<String> TEMPLATE_FAULTS =
      Set.of("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError", "CreateContainerError");

  @Override
  public boolean decide(Situation situation, Draft draft) {
    for (MemberView voter : situation.voters()) {
      if (voter.pod().isEmpty() && !voter.volumeLost()) {
        draft.event(EventReason.POD_RECREATED, voter.name(), voter.name() + " had no pod");
        draft.act(new Action.StartPod(voter.name(), situation.initialPeers(), voter.spec().clusterToken(), Action.StartMode.EXISTING));
        return true;
      }
    }
    for (MemberView voter : situation.voters()) {
      if ((voter.deletedByUser() && replace(situation, voter, DELETED, draft)) || (voter.broken() && heal(situation, voter, draft))) {
        return true;
      }
    }
    return false;
  }

  private static boolean heal(Situation situation, MemberView voter, Draft draft) {
    draft.requeue(Draft.PROMPT);
    if (voter.volumeLost()) {
      return replace(situation, voter, VOLUME_LOST, draft);
    }
    boolean leaving = voter.pod().map(pod -> pod.terminating()).orElse(true);
    boolean template = voter.pod().map(pod -> TEMPLATE_FAULTS.contains(pod.waitingReason())).orElse(false);
    String since = draft.member(voter.name()).unhealthySince();
    if (voter.unreachable() || leaving || template || since.isEmpty()) {
      return false;
    }
    HealingSpec healing = situation.spec().healing();
    Duration ill = situation.since(since);
    int attempts = draft.member(voter.name()).attempts();
    if (ill.compareTo(healing.untilReplace()) >= 0 && !rolloutFault(situation, voter)) {
      return replace(situation, voter, UNHEALTHY, draft);
    }
    if (attempts < healing.maxAttempts() && ill.compareTo(healing.untilRecreate().multipliedBy(attempts + 1L)) >= 0) {
      return recreate(situation, voter, draft);
    }
    return false;
  }

  private static boolean recreate(Situation situation, MemberView voter, Draft draft) {
    if (RestartOrder.serves(situation, voter)) {
      Optional<Blocked> blocked = Guards.state(situation, Guard.Kind.RESTART, voter);
      if (blocked.isPresent()) {
        draft.blocked(blocked.get(), "restarting " + voter.name());
        return false;
      }
    }
    draft.attempted(voter.name());
    RestartMember.begin(situation, draft, voter, "", RestartMember.UNHEALTHY);
    return true;
  }

  private static boolean replace(Situation situation, MemberView voter, String reason, Draft draft) {
    boolean healthy = situation.healthy(voter);
    if (healthy && (situation.voterCount() < situation.wantedVoters() || !situation.mayBegin())) {
      // It serves: first all that are wanted, then one less for a while.
      return false;
    }
    Optional<Blocked> blocked = healthy ? Guards.all(situation, Guard.Kind.REMOVE, voter) : Guards.state(situation, Guard.Kind.REMOVE, voter);
    if (blocked.isPresent()) {
      draft.blocked(blocked.get(), "replacing " + voter.name());
      return false;
    }
    draft.event(EventReason.MEMBER_REPLACING, voter.name(), voter.name() + " is replaced: " + reason);
    RemoveMember.begin(situation, draft, voter, "", reason, false);
    return true;
  }

  /** It is among the first of a rollout that others still have before them: more of the same would not help. */
  private static boolean rolloutFault(Situation situation, MemberView voter) {
    return !situation.outdated(voter) && situation.voters().stream().anyMatch(situation::outdated);
  }
}
