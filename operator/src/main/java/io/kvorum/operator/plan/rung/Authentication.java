package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.SpecCheck;
import io.kvorum.operator.plan.Steps;
import io.kvorum.operator.plan.procedure.Once;
import java.time.Duration;
import java.util.Optional;

/**
 * After scaling up: users and roles are wanted and not enforced yet, so root is made and authentication enabled; or they were wanted and are no more, so it is
 * switched off. What was never asked for by the specification is left as it is: authentication that somebody enabled by hand stays.
 */
public final class Authentication implements Rung {
  /** It is known not to be as the specification has it. */
  public static boolean pending(Situation situation) {
    boolean wanted = situation.spec().wantsAuth();
    boolean ours = wanted || !situation.status().memory().rootSecret().isEmpty();
    return ours && situation.observation().store().authEnabled().map(enforced -> enforced != wanted).orElse(false);
  }

  @Override
  public boolean decide(Situation situation, Draft draft) {
    Optional<Boolean> enforced = situation.observation().store().authEnabled();
    if (enforced.isEmpty()) {
      return false;
    }
    boolean wanted = situation.spec().wantsAuth();
    if (wanted == enforced.get()) {
      draft.memory().rootSecret = wanted ? situation.cluster().rootSecret() : "";
      return false;
    }
    if (!pending(situation) || !situation.mayBegin() || SpecCheck.check(situation).isPresent()) {
      return false;
    }
    draft.memory().rootSecret = situation.cluster().rootSecret();
    CurrentAction action =
        wanted
            ? Steps.begin(Type.ENABLE_AUTH, "", Once.DO, situation.at(), Duration.ofHours(1), "", "enabling authentication")
            : Steps.begin(Type.DISABLE_AUTH, "", Once.DO, situation.at(), Duration.ofHours(1), "", "switching authentication off");
    draft.current(action);
    new Once().advance(situation, action, draft);
    return true;
  }
}
