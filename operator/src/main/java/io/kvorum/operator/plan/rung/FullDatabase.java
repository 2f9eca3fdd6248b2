package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.MaintenanceSpec.OnQuotaExceeded;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import io.kvorum.operator.plan.procedure.RelieveQuota;
import java.time.Duration;

/** Rung 8: the NOSPACE alarm is raised. With the policy Alert it is only reported. */
public final class FullDatabase implements Rung {
  @Override
  public boolean decide(Situation situation, Draft draft) {
    boolean full = situation.observation().store().alarms().stream().anyMatch(alarm -> alarm.kind() == ActiveAlarm.Kind.NOSPACE);
    if (!full || situation.spec().maintenance().onQuotaExceeded() == OnQuotaExceeded.ALERT || !situation.mayBegin()) {
      return false;
    }
    draft.event(EventReason.QUOTA_EXCEEDED, "", "the database has reached its quota; compacting and reclaiming space");
    CurrentAction action =
        Steps.begin(CurrentAction.Type.RELIEVE_QUOTA, "", RelieveQuota.COMPACT, situation.at(), Duration.ofHours(6), "", "quota exceeded");
    draft.current(action);
    new RelieveQuota().advance(situation, action, draft);
    return true;
  }
}
