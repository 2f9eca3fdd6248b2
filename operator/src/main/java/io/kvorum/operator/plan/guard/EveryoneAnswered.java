package io.kvorum.operator.plan.guard;

import io.kvorum.operator.plan.Situation;
import java.util.Optional;

/** G2: every remaining voter answered this pass. */
public final class EveryoneAnswered implements Guard {
  @Override
  public Optional<Blocked> check(Situation situation, Disruption disruption) {
    return disruption.remaining(situation).stream()
        .filter(voter -> voter.answer().isEmpty())
        .findFirst()
        .map(voter -> new Blocked("G2", voter.name() + " did not answer"));
  }
}
