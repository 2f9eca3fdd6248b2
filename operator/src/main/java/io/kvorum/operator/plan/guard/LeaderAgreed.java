package io.kvorum.operator.plan.guard;

import io.kvorum.operator.plan.Situation;
import java.util.Optional;

/** G3: a majority of voters name the same leader in the same term, and the member list could be read. */
public final class LeaderAgreed implements Guard {
  @Override
  public Optional<Blocked> check(Situation situation, Disruption disruption) {
    if (!situation.listed()) {
      return Optional.of(new Blocked("G3", "the member list could not be read"));
    }
    return situation.leader().isPresent() ? Optional.empty() : Optional.of(new Blocked("G3", "no leader is agreed"));
  }
}
