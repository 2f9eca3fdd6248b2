package io.kvorum.operator.plan.guard;

import io.kvorum.operator.plan.Situation;
import java.util.Optional;

/** G4: all answers carry the latched cluster id. */
public final class SameCluster implements Guard {
  @Override
  public Optional<Blocked> check(Situation situation, Disruption disruption) {
    return situation.members().stream()
        .filter(member -> member.answer().isPresent() && member.answer().get().clusterId() != situation.clusterId())
        .findFirst()
        .map(member -> new Blocked("G4", member.name() + " answers for another cluster"));
  }
}
