package io.kvorum.operator.plan.procedure;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import java.util.List;
import java.util.Optional;

/**
 * Brings a full database back below its quota: compact to the newest revision, reclaim every member's space, disarm the alarms. When what is in
 * use is above
 * nine tenths of the quota even then, the alarm stays: disarming would only raise it again.
 */
public final class RelieveQuota implements Procedure {
  /** First step. */
  public static final String COMPACT = "Compact";

  private static final String RECLAIM = "Reclaim";
  private static final String DISARM = "Disarm";
  private static final int ATTEMPTS = 3;

  @Override
  public void advance(Situation situation, CurrentAction action, Draft draft) {
    draft.progress(Reason.RELIEVING_QUOTA, "the database has reached its quota");
    switch (action.step()) {
      case COMPACT -> {
        if (action.outcome().equals(CurrentAction.DONE)) {
          reclaim(situation, Steps.to(action, RECLAIM, situation.at()), draft);
        } else if (action.attempt() >= ATTEMPTS) {
          draft.failed();
        } else {
          draft.current(Steps.issue(action));
          draft.act(new Action.Compact(situation.leading().flatMap(MemberView::answer).map(MemberAnswer::revision).orElse(1L)));
        }
      }
      case RECLAIM -> reclaim(situation, action, draft);
      default -> disarm(situation, action, draft);
    }
  }

  private static void reclaim(Situation situation, CurrentAction action, Draft draft) {
    switch (Defragment.step(situation, action, draft)) {
      case DONE -> disarm(situation, Steps.next(action, "", List.of(), DISARM, situation.at()), draft);
      case FAILED -> draft.failed();
      case PENDING -> { }
    }
  }

  private static void disarm(Situation situation, CurrentAction action, Draft draft) {
    Optional<ActiveAlarm> alarm =
        situation.observation().store().alarms().stream().filter(raised -> raised.kind() == ActiveAlarm.Kind.NOSPACE).findFirst();
    if (alarm.isEmpty()) {
      draft.event(EventReason.QUOTA_RELIEVED, "", "the database is below its quota again");
      draft.succeeded();
      return;
    }
    long limit = situation.spec().effectiveQuota() / 10 * 9;
    boolean full = situation.voters().stream().anyMatch(voter -> voter.answer().map(answer -> answer.inUseBytes() > limit).orElse(true));
    if (full || action.attempt() >= ATTEMPTS * situation.members().size()) {
      draft.event(EventReason.QUOTA_EXCEEDED, "", "compaction and defragmentation did not help: raise quotaBytes or delete keys");
      draft.failed();
      return;
    }
    draft.current(Steps.issue(action));
    draft.act(new Action.DisarmAlarm(alarm.get().memberId(), alarm.get().kind().name()));
  }
}
