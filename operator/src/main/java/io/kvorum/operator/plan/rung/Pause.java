package io.kvorum.operator.plan.rung;

import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;

/** Rung 2: paused. Observed and reported, nothing else; what was under way stays recorded. */
public final class Pause implements Rung {
  @Override
  public boolean decide(Situation situation, Draft draft) {
    boolean paused = situation.spec().paused();
    if (paused != draft.memory().paused) {
      draft.event(paused ? EventReason.PAUSED : EventReason.RESUMED, "", paused ? "the operator only watches" : "the operator acts again");
      draft.memory().paused = paused;
    }
    if (paused) {
      draft.progress(Reason.PAUSED, "spec.paused is set");
    }
    return paused;
  }
}
