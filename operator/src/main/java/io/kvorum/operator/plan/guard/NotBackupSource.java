package io.kvorum.operator.plan.guard;

import io.kvorum.operator.plan.Situation;
import java.util.Optional;

/** G8: the target is not the source of a running backup. */
public final class NotBackupSource implements Guard {
  @Override
  public Optional<Blocked> check(Situation situation, Disruption disruption) {
    return disruption.target().filter(situation::backupSource).map(target -> new Blocked("G8", target.name() + " is the source of a running backup"));
  }
}
