package io.kvorum.operator.plan.rung;

import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.guard.Guard.Blocked;
import io.kvorum.operator.plan.guard.Guards;
import io.kvorum.operator.plan.procedure.AddMember;
import java.util.Optional;

/**
 * Rung 12: fewer voters than wanted, so one joins. Blocked, it lets the rungs below decide: a broken member may be broken because of what the
 * rolling update
 * would correct.
 */
public final class ScaleUp implements Rung {
  @Override
  public boolean decide(Situation situation, Draft draft) {
    if (situation.voterCount() >= situation.wantedVoters()) {
      return false;
    }
    if (!situation.mayBegin()) {
      draft.blocked(new Blocked("Backoff", "the last procedure failed; the next begins at " + situation.status().memory().retryAfter()), "adding a member");
      return false;
    }
    Optional<Blocked> blocked = Guards.add(situation);
    if (blocked.isPresent()) {
      draft.blocked(blocked.get(), "adding a member");
      return false;
    }
    AddMember.begin(situation, draft, situation.voterCount() + " of " + situation.wantedVoters() + " voters");
    return true;
  }
}
