package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.UpdateSpec;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.RestartOrder;
import io.kvorum.operator.plan.Schedules;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.SpecCheck;
import io.kvorum.operator.plan.guard.Guard;
import io.kvorum.operator.plan.guard.Guard.Blocked;
import io.kvorum.operator.plan.guard.Guards;
import io.kvorum.operator.plan.procedure.RestartMember;
import java.util.List;
import java.util.Optional;

/**
 * Rung 13: pods of another template than the wanted one, or volumes whose file system grows only at a start (rung 15), one after the other.
 *
 * <ol>
 *   <li>Nothing while the specification is refused, the user restarts members, the window is closed, or the change is the operator's own and no
 *       window says when.
 *   <li>One that serves nobody goes first and waits for nobody.
 *   <li>One that serves waits for the guards, and for every member that was updated before to serve again.
 *   <li>The leader comes last, after a transfer; or the user says when.
 * </ol>
 */
public final class RollingUpdate implements Rung {
  private static final int FLEET_LIMIT = 5;

  @Override
  public boolean decide(Situation situation, Draft draft) {
    List<MemberView> left = situation.voters().stream().filter(member -> needs(situation, member)).toList();
    if (left.isEmpty() || SpecCheck.check(situation).isPresent()) {
      return false;
    }
    boolean begun = situation.voters().stream().anyMatch(member -> member.pod().isPresent() && !needs(situation, member)) && situation.voterCount() > 1;
    MemberView next = RestartOrder.of(situation, left).getFirst();
    boolean serves = RestartOrder.serves(situation, next);
    if (!begun && serves && held(situation, draft, left)) {
      return false;
    }
    if (situation.spec().update().strategy() == UpdateSpec.Strategy.MANUAL) {
      draft.progress(Reason.WAITING_FOR_USER, "to be restarted by you: " + names(left));
      return false;
    }
    if (!serves) {
      if (next.pod().map(PodState::terminating).orElse(true) || next.unreachable()) {
        draft.progress(Reason.ROLLING_UPDATE, next.name() + (next.unreachable() ? " is on a node that does not report" : " is stopping"));
        draft.requeue(Draft.PROMPT);
        return true;
      }
      RestartMember.begin(situation, draft, next, "", reason(next));
      return true;
    }
    Optional<MemberView> failed = situation.voters().stream().filter(member -> !needs(situation, member) && !situation.healthy(member)).findFirst();
    if (failed.isPresent()) {
      stalled(situation, draft, failed.get());
      return true;
    }
    if (!situation.mayBegin()) {
      draft.blocked(new Blocked("Backoff", "the last procedure failed; the next begins at " + situation.status().memory().retryAfter()), "restarting members");
      return true;
    }
    if (situation.leads(next) && situation.voterCount() > 1 && situation.spec().update().leader() == UpdateSpec.Leader.WAIT_FOR_USER) {
      draft.progress(Reason.WAITING_FOR_USER, "only the leader " + next.name() + " is left: move leadership by a KvorumOperation transferLeader");
      return true;
    }
    Optional<Blocked> blocked = Guards.all(situation, Guard.Kind.RESTART, next);
    if (blocked.isPresent()) {
      draft.blocked(blocked.get(), "restarting " + next.name());
      // Two voters on the way to one: neither can be spared, so the other change goes first.
      return !(blocked.get().guard().equals("G6") && situation.voterCount() > situation.wantedVoters());
    }
    if (!begun) {
      draft.event(EventReason.ROLLOUT_STARTED, "", "to be restarted: " + names(left));
    }
    RestartMember.begin(situation, draft, next, "", reason(next));
    if (left.size() == 1) {
      draft.event(EventReason.ROLLOUT_COMPLETED, "", next.name() + " is the last");
    }
    return true;
  }

  private static boolean needs(Situation situation, MemberView member) {
    return situation.outdated(member) || member.claim().map(claim -> claim.fileSystemResizePending()).orElse(false);
  }

  private static boolean held(Situation situation, Draft draft, List<MemberView> left) {
    boolean open = Schedules.open(situation.spec().update().maintenanceWindows(), situation.at());
    boolean windows = !situation.spec().update().maintenanceWindows().isEmpty();
    if (!open || (!windows && !situation.facts().templateByUser() && left.stream().allMatch(situation::outdated))) {
      draft.progress(Reason.STABLE, names(left) + " wait for a maintenance window");
      return true;
    }
    if (situation.facts().fleetRollouts() >= FLEET_LIMIT) {
      draft.blocked(new Blocked("Fleet", situation.facts().fleetRollouts() + " other clusters are being rolled"), "restarting members");
      return true;
    }
    return false;
  }

  private static void stalled(Situation situation, Draft draft, MemberView failed) {
    boolean late = situation.status().condition("Progressing").map(condition -> condition.reason().equals("DeadlineExceeded")).orElse(false)
        || !situation.mayBegin() || !failed.status().unhealthySince().isEmpty();
    String why = failed.pod().map(PodState::waitingReason).filter(reason -> !reason.isEmpty()).map(reason -> ": " + reason).orElse("");
    draft.progress(late ? Reason.DEADLINE_EXCEEDED : Reason.ROLLING_UPDATE, failed.name() + " does not serve with the new template" + why
        + "; no other member is restarted. Correct the specification or set it back");
    draft.requeue(Draft.PROMPT);
  }

  private static String reason(MemberView member) {
    return member.claim().map(claim -> claim.fileSystemResizePending()).orElse(false) ? "FileSystemResizePending" : "TemplateChanged";
  }

  private static String names(List<MemberView> members) {
    return String.join(", ", members.stream().map(MemberView::name).toList());
  }
}
