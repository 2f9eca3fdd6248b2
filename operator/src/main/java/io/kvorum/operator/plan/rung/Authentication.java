package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.SpecCheck;
import io.kvorum.operator.plan.Steps;
import io.kvorum.operator.plan.procedure.Once;
import java.time.Duration;

/** After scaling up: users and roles are wanted and not enforced yet, so root is made and authentication enabled. */
public final class Authentication implements Rung {
  @Override
  public boolean decide(Situation situation, Draft draft) {
    boolean off = situation.observation().store().authEnabled().map(enabled -> !enabled).orElse(false);
    if (!situation.spec().wantsAuth() || !off || !situation.mayBegin() || SpecCheck.check(situation).isPresent()) {
      return false;
    }
    CurrentAction action =
        Steps.begin(CurrentAction.Type.ENABLE_AUTH, "", Once.DO, situation.at(), Duration.ofHours(1), "", "enabling authentication");
    draft.current(action);
    new Once().advance(situation, action, draft);
    return true;
  }
}
