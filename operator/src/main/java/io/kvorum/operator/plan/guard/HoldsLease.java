package io.kvorum.operator.plan.guard;

import io.kvorum.operator.plan.Situation;
import java.util.Optional;

/** G1: this operator holds its lease. */
public final class HoldsLease implements Guard {
  @Override
  public Optional<Blocked> check(Situation situation, Disruption disruption) {
    return situation.facts().holdsLease() ? Optional.empty() : Optional.of(new Blocked("G1", "this operator does not hold its lease"));
  }
}
