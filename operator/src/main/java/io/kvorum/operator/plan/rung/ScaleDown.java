package io.kvorum.operator.plan.rung;

import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.VictimChoice;
import io.kvorum.operator.plan.guard.Guard;
import io.kvorum.operator.plan.guard.Guard.Blocked;
import io.kvorum.operator.plan.guard.Guards;
import io.kvorum.operator.plan.procedure.RemoveMember;
import java.util.Optional;

/** Rung 14: more voters than wanted, so one leaves. */
public final class ScaleDown implements Rung {
  @Override
  public boolean decide(Situation situation, Draft draft) {
    if (situation.voterCount() <= situation.wantedVoters()) {
      return false;
    }
    MemberView victim = VictimChoice.choose(situation).orElse(null);
    if (victim == null) {
      return false;
    }
    if (!situation.mayBegin()) {
      draft.blocked(new Blocked("Backoff", "the last procedure failed; the next begins at " + situation.status().memory().retryAfter()), "removing a member");
      return true;
    }
    Optional<Blocked> blocked = Guards.all(situation, Guard.Kind.REMOVE, victim);
    if (blocked.isPresent()) {
      draft.blocked(blocked.get(), "removing " + victim.name());
      return true;
    }
    RemoveMember.begin(situation, draft, victim, "", RemoveMember.SCALE_DOWN, false);
    return true;
  }
}
