package io.kvorum.operator.plan.procedure;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.api.StorageSpec.Policy;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import io.kvorum.operator.plan.guard.Guard;
import io.kvorum.operator.plan.guard.Guard.Blocked;
import io.kvorum.operator.plan.guard.Guards;
import java.time.Duration;
import java.util.Optional;

/**
 * Takes a member out for good.
 *
 * <ol>
 *   <li>Transfer: when it leads, leadership moves first; without confirmation nothing is removed.
 *   <li>Drain: its pod leaves the client Service, and clients get a moment to notice.
 *   <li>Remove: the guards hold once more; out of the member list, its alarms disarmed. Absent already is done.
 *   <li>Stop: its pod goes with normal grace.
 *   <li>Release: its claim is deleted or kept, its finalizer released. The object's absence ends the procedure.
 * </ol>
 *
 * Member first, pod second, claim last: the reverse order loses quorum margin or data. Until the member list shows it gone the procedure can be
 * given up.
 */
public final class RemoveMember implements Procedure {
  /** Reason: there are more voters than wanted. */
  public static final String SCALE_DOWN = "ScaleDown";

  /** Reason: a learner that did not become a voter. */
  public static final String ABANDONED = "Abandoned";

  /** Ends a reason whose volume is kept whatever the specification says. */
  public static final String KEEPING = ", volume kept";

  static final String TRANSFER = "Transfer";
  static final String DRAIN = "Drain";
  static final String REMOVE = "Remove";
  static final String STOP = "Stop";
  static final String RELEASE = "Release";
  private static final Duration CLIENTS_NOTICE = Duration.ofSeconds(3);

  /** Begins; the caller has asked the guards. */
  public static void begin(Situation situation, Draft draft, MemberView member, String operation, String reason, boolean keepVolume) {
    Duration bound = Duration.ofSeconds(situation.spec().update().progressDeadlineSeconds());
    CurrentAction action = Steps.id(
        Steps.begin(Type.REMOVE_MEMBER, member.name(), TRANSFER, situation.at(), bound, operation, reason + (keepVolume ? KEEPING : "")), member.id());
    draft.current(action);
    new RemoveMember().advance(situation, action, draft);
  }

  @Override
  public void advance(Situation situation, CurrentAction written, Draft draft) {
    CurrentAction action = LeaderTransfer.confirm(situation, written, draft);
    boolean scaling = action.reason().startsWith(SCALE_DOWN);
    draft.progress(scaling ? Reason.SCALING_DOWN : Reason.REPLACING, "removing " + action.member() + ": " + action.reason());
    Optional<MemberView> found = situation.member(action.member());
    if (found.isEmpty()) {
      draft.event(EventReason.MEMBER_REMOVED, action.member(), action.member() + " is removed: " + action.reason());
      if (action.reason().startsWith(ABANDONED)) {
        draft.failed();
      } else {
        draft.succeeded();
      }
      return;
    }
    MemberView member = found.get();
    if (member.listed().isEmpty()) {
      afterwards(situation, action, member, draft);
    } else if (scaling && !member.deletedByUser() && situation.voterCount() <= situation.spec().replicas()) {
      cancel(member, draft, false);
    } else {
      before(situation, action, member, draft);
    }
  }

  private void before(Situation situation, CurrentAction action, MemberView member, Draft draft) {
    if (situation.leads(member)) {
      if (LeaderTransfer.advance(situation, action, member.name(), "", draft) == LeaderTransfer.Result.FAILED) {
        cancel(member, draft, true);
      }
      return;
    }
    Optional<PodState> serving = member.pod().filter(pod -> pod.servesClients() && !pod.terminating());
    if (serving.isPresent()) {
      draft.phase(member.name(), Phase.DRAINING);
      draft.current(Steps.issue(at(action, DRAIN, situation)));
      draft.act(new Action.ServeClients(member.name(), false));
      return;
    }
    if (action.step().equals(DRAIN) && situation.since(action.stepSince()).compareTo(CLIENTS_NOTICE) < 0) {
      draft.current(action);
      return;
    }
    Optional<Blocked> blocked = member.voter(situation.listed())
        ? Guards.state(situation, Guard.Kind.REMOVE, member) : Guards.removeLearner(situation, member);
    if (blocked.isPresent()) {
      // Nothing was done that could not be undone, and what blocks may need healing first.
      draft.blocked(blocked.get(), "removing " + member.name());
      cancel(member, draft, false);
      return;
    }
    draft.phase(member.name(), Phase.REMOVING);
    draft.current(Steps.issue(Steps.id(at(action, REMOVE, situation), member.id())));
    draft.act(new Action.RemoveMember(member.name(), member.id()));
  }

  private void afterwards(Situation situation, CurrentAction action, MemberView member, Draft draft) {
    draft.phase(member.name(), Phase.REMOVING);
    if (member.pod().isPresent()) {
      PodState pod = member.pod().get();
      draft.current(at(action, STOP, situation));
      if (!pod.terminating()) {
        draft.current(Steps.issue(at(action, STOP, situation)));
        draft.act(new Action.DeletePod(member.name(), pod.uid(), action.reason()));
      }
      return;
    }
    boolean keep = action.reason().endsWith(KEEPING)
        || (situation.spec().storage().retention().whenRemoved() == Policy.RETAIN && !action.reason().startsWith(ABANDONED));
    draft.current(Steps.issue(at(action, RELEASE, situation)));
    draft.act(new Action.ReleaseMember(member.name(), keep));
  }

  /** The member stays: it goes back behind the client Service by itself, as every voter's pod does. */
  private static void cancel(MemberView member, Draft draft, boolean failed) {
    draft.phase(member.name(), member.listed().isPresent() && member.listed().get().learner() ? Phase.CATCHING_UP : Phase.VOTING);
    if (failed) {
      draft.failed();
    } else {
      draft.ended();
    }
  }

  private static CurrentAction at(CurrentAction action, String step, Situation situation) {
    return action.step().equals(step) ? action : Steps.to(action, step, situation.at());
  }
}
