package io.kvorum.operator.plan.procedure;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.event.EventReason;
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
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reclaims space, one member after the other.
 *
 * <ol>
 *   <li>Followers first, by ordinal; the leader last, and when others vote leadership moves away from it before.
 *   <li>The guards hold before each.
 *   <li>An action whose outcome is unknown (a crash) is issued again; the first that fails, or that the guards hold back for a minute, ends the
 *       procedure.
 * </ol>
 *
 * The wanted members are found anew in each pass; {@link CurrentAction#done} holds those that are finished.
 */
public final class Defragment implements Procedure {
  private static final String RECLAIM = "Reclaim";
  private static final int ATTEMPTS = 3;
  private static final Duration BLOCKED = Duration.ofMinutes(1);

  /** Begins. @param wanted names; only those that vote are taken */
  public static void begin(Situation situation, Draft draft, Set<String> wanted, String operation, String reason) {
    CurrentAction action = Steps.begin(Type.DEFRAGMENT, "", RECLAIM, situation.at(), Duration.ofHours(6), operation, reason);
    // Those that are not wanted count as finished, so that the choice survives a crash.
    List<String> done = situation.voters().stream().map(MemberView::name).filter(name -> !wanted.contains(name)).toList();
    CurrentAction chosen = Steps.next(action, "", done, RECLAIM, situation.at());
    draft.current(chosen);
    new Defragment().advance(situation, chosen, draft);
  }

  @Override
  public void advance(Situation situation, CurrentAction action, Draft draft) {
    draft.progress(Reason.DEFRAGMENTING, "reclaiming space: " + action.reason());
    switch (step(situation, action, draft)) {
      case DONE -> draft.succeeded();
      case FAILED -> draft.failed();
      case PENDING -> { }
    }
  }

  /** One step, for other procedures as well. */
  static LeaderTransfer.Result step(Situation situation, CurrentAction action, Draft draft) {
    if (!action.member().isEmpty() && action.attempt() > 0) {
      if (action.outcome().equals(CurrentAction.DONE)) {
        draft.event(EventReason.DEFRAGMENTED, action.member(), action.member() + " has reclaimed its space");
        return next(situation, action, with(action.done(), action.member()), draft);
      }
      if (!action.outcome().isEmpty() || action.attempt() >= ATTEMPTS) {
        draft.event(EventReason.DEFRAGMENTATION_FAILED, action.member(), action.member() + ": " + action.outcome());
        return LeaderTransfer.Result.FAILED;
      }
    }
    return next(situation, action, action.done(), draft);
  }

  private static LeaderTransfer.Result next(Situation situation, CurrentAction action, List<String> done, Draft draft) {
    Optional<MemberView> candidate = situation.voters().stream()
        .filter(voter -> !done.contains(voter.name()))
        .min(Comparator.comparing((MemberView voter) -> situation.leads(voter))
            .thenComparing(voter -> situation.backupSource(voter))
            .thenComparing(voter -> voter.spec().ordinal()));
    if (candidate.isEmpty()) {
      return LeaderTransfer.Result.DONE;
    }
    MemberView member = candidate.get();
    CurrentAction current =
        action.member().equals(member.name()) ? action : Steps.next(action, member.name(), done, action.step(), situation.at());
    if (situation.leads(member) && situation.voterCount() > 1) {
      return LeaderTransfer.advance(situation, current, member.name(), "", draft) == LeaderTransfer.Result.FAILED
          ? LeaderTransfer.Result.FAILED : LeaderTransfer.Result.PENDING;
    }
    Optional<Blocked> blocked = Guards.state(situation, Guard.Kind.RESTART, member);
    if (blocked.isPresent()) {
      draft.blocked(blocked.get(), "reclaiming space of " + member.name());
      draft.current(current);
      return situation.since(current.stepSince()).compareTo(BLOCKED) > 0 ? LeaderTransfer.Result.FAILED : LeaderTransfer.Result.PENDING;
    }
    draft.current(Steps.issue(current.target().isEmpty() ? current : Steps.next(current, member.name(), done, action.step(), situation.at())));
    draft.act(new Action.Defragment(member.name()));
    return LeaderTransfer.Result.PENDING;
  }

  private static List<String> with(List<String> done, String name) {
    List<String> all = new ArrayList<>(done);
    all.add(name);
    return all;
  }
}
