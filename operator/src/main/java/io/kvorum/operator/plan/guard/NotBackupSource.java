package io.kvorum.operator.plan.guard;

import io.kvorum.operator.plan.Situation;
import java.util.Optional;

/** G8: the target is not the source of a running backup. */
public final class NotBackupSource implements Guard {
  @Override
  public Optional<Blocked> check(Situation situation, Disruption disruption) {
    String source = situation.facts().runningBackupSource();
    boolean busy = disruption.target().isPresent() && disruption.target().get().name().equals(source);
    return busy ? Optional.of(new Blocked("G8", source + " is the source of a running backup")) : Optional.empty();
  }
}
