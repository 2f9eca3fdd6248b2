package io.kvorum.operator.plan.guard;

import io.kvorum.operator.plan.Situation;
import java.util.Optional;

/** G7: every remaining voter lags the leader by little. */
public final class SmallLag implements Guard {
  @Override
  public Optional<Blocked> check(Situation situation, Disruption disruption) {
    return disruption.remaining(situation).stream()
        .filter(voter -> !situation.caughtUp(voter))
        .findFirst()
        .map(voter -> new Blocked("G7", voter.name() + " lags too far behind the leader"));
  }
}
