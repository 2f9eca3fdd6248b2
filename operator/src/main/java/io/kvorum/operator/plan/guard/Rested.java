package io.kvorum.operator.plan.guard;

import io.kvorum.operator.plan.Situation;
import java.time.Duration;
import java.util.Optional;

/** G9: some time has passed since the last disruptive action. */
public final class Rested implements Guard {
  @Override
  public Optional<Blocked> check(Situation situation, Disruption disruption) {
    String last = situation.status().memory().lastDisruption();
    Duration pause = Duration.ofSeconds(situation.spec().update().minReadySeconds());
    return last.isEmpty() || situation.since(last).compareTo(pause) >= 0
        ? Optional.empty() : Optional.of(new Blocked("G9", "the last action ended less than " + pause.toSeconds() + " s ago"));
  }
}
