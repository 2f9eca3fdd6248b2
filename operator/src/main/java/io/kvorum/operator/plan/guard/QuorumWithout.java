package io.kvorum.operator.plan.guard;

import io.kvorum.operator.plan.Situation;
import java.util.Optional;

/** G6: without the target, the healthy voters are at least quorum of the voters that there will be then. */
public final class QuorumWithout implements Guard {
  @Override
  public Optional<Blocked> check(Situation situation, Disruption disruption) {
    long healthy = disruption.remaining(situation).stream().filter(situation::healthy).count();
    boolean votes = disruption.target().isPresent() && disruption.target().get().voter(situation.listed());
    int then = situation.voterCount() - (disruption.kind() == Kind.REMOVE && votes ? 1 : 0);
    if (disruption.kind() == Kind.RESTART && votes && then == 1) {
      // The only voter: nobody can stand in, and a restart that was asked for is its downtime.
      return Optional.empty();
    }
    if (then >= 1 && healthy >= Situation.quorum(then)) {
      return Optional.empty();
    }
    return Optional.of(new Blocked("G6", "only " + healthy + " healthy of " + then + " voters would remain"));
  }
}
