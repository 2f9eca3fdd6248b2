package io.kvorum.operator.plan.procedure;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.RestartOrder;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import io.kvorum.operator.plan.guard.Guard;
import io.kvorum.operator.plan.guard.Guard.Blocked;
import io.kvorum.operator.plan.guard.Guards;
import java.time.Duration;
import java.util.Optional;

/**
 * Restarts a member on its claim, with the template that is wanted now.
 *
 * <ol>
 *   <li>Transfer: when it leads and others vote, leadership moves first; without confirmation nothing is restarted.
 *   <li>Stop: the guards hold once more, unless it serves nobody; its pod is deleted by uid.
 *   <li>Start: once that pod is gone, a new one on the same claim with the same identity.
 *   <li>Await: ready, the right id, the right version, little lag. A pod of yet another template is stopped again: the user has corrected something.
 * </ol>
 */
public final class RestartMember implements Procedure {
  /** Reason: unhealthy for too long. */
  public static final String UNHEALTHY = "Unhealthy";

  static final String STOP = "Stop";
  static final String START = "Start";
  static final String AWAIT = "Await";

  /** Begins; the caller has asked the guards. */
  public static void begin(Situation situation, Draft draft, MemberView member, String operation, String reason) {
    Duration bound = Duration.ofSeconds(situation.spec().update().progressDeadlineSeconds());
    String uid = member.pod().map(PodState::uid).orElse("");
    CurrentAction action = Steps.pod(Steps.begin(Type.RESTART_MEMBER, member.name(), STOP, situation.at(), bound, operation, reason), uid);
    draft.current(action);
    draft.event(EventReason.RESTARTING, member.name(), "restarting " + member.name() + ": " + reason);
    if (situation.voterCount() == 1 && member.voter(situation.listed())) {
      draft.event(EventReason.DOWNTIME, member.name(), member.name() + " is the only voter: nobody serves until it is back");
    }
    new RestartMember().advance(situation, action, draft);
  }

  @Override
  public void advance(Situation situation, CurrentAction written, Draft draft) {
    CurrentAction action = LeaderTransfer.confirm(situation, written, draft);
    boolean healing = action.reason().equals(UNHEALTHY);
    draft.progress(healing ? Reason.RECREATING : Reason.ROLLING_UPDATE, "restarting " + action.member() + ": " + action.reason());
    Optional<MemberView> found = situation.member(action.member());
    if (found.isEmpty() || (found.get().listed().isEmpty() && situation.listed())) {
      draft.ended();
      return;
    }
    MemberView member = found.get();
    Optional<PodState> pod = member.pod();
    if (pod.isPresent() && pod.get().uid().equals(action.podUID())) {
      stop(situation, action, member, pod.get(), draft);
    } else if (member.volumeLost()) {
      draft.failed();
    } else if (pod.isEmpty()) {
      draft.phase(member.name(), Phase.RECREATING);
      draft.current(Steps.issue(at(action, START, situation)));
      draft.act(new Action.StartPod(member.name(), situation.initialPeers(), member.spec().clusterToken(), Action.StartMode.EXISTING));
    } else {
      await(situation, action, member, draft);
    }
  }

  private void stop(Situation situation, CurrentAction action, MemberView member, PodState pod, Draft draft) {
    if (pod.terminating()) {
      draft.current(at(action, STOP, situation));
      return;
    }
    boolean learner = member.listed().isPresent() && member.listed().get().learner();
    if (RestartOrder.serves(situation, member) && !learner) {
      if (situation.leads(member) && situation.voterCount() > 1) {
        if (LeaderTransfer.advance(situation, action, member.name(), "", draft) == LeaderTransfer.Result.FAILED) {
          draft.failed();
        }
        return;
      }
      Optional<Blocked> blocked = Guards.state(situation, Guard.Kind.RESTART, member);
      if (blocked.isPresent()) {
        // Nothing was done yet, and what blocks may need healing first.
        draft.blocked(blocked.get(), "restarting " + member.name());
        draft.ended();
        return;
      }
    }
    draft.phase(member.name(), Phase.RECREATING);
    draft.current(Steps.issue(at(action, STOP, situation)));
    draft.act(new Action.DeletePod(member.name(), pod.uid(), action.reason()));
  }

  private void await(Situation situation, CurrentAction action, MemberView member, Draft draft) {
    if (situation.outdated(member) && !RestartOrder.serves(situation, member)) {
      CurrentAction again = Steps.pod(at(action, STOP, situation), member.pod().orElseThrow().uid());
      stop(situation, again, member, member.pod().orElseThrow(), draft);
      return;
    }
    boolean identity = member.answer().filter(answer -> answer.memberId() == member.id()).isPresent();
    if (situation.healthy(member) && identity && situation.caughtUp(member)) {
      if (member.voter(situation.listed())) {
        draft.phase(member.name(), Phase.VOTING);
      }
      draft.event(EventReason.RESTARTED, member.name(), member.name() + " is back");
      draft.succeeded();
      return;
    }
    if (late(situation, action)) {
      draft.event(EventReason.DEADLINE_EXCEEDED, member.name(),
          member.name() + " did not come back in time" + member.pod().map(pod -> pod.waitingReason().isEmpty() ? "" : ": " + pod.waitingReason()).orElse(""));
      draft.failed();
      return;
    }
    draft.current(at(action, AWAIT, situation));
  }

  private static boolean late(Situation situation, CurrentAction action) {
    return Api.time(action.deadline()).map(end -> situation.at().isAfter(end)).orElse(false);
  }

  private static CurrentAction at(CurrentAction action, String step, Situation situation) {
    return action.step().equals(step) ? action : Steps.to(action, step, situation.at());
  }
}
