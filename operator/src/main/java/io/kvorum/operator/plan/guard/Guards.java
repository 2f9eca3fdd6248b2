package io.kvorum.operator.plan.guard;

import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.guard.Guard.Blocked;
import io.kvorum.operator.plan.guard.Guard.Disruption;
import io.kvorum.operator.plan.guard.Guard.Kind;
import java.util.List;
import java.util.Optional;

/** Which guards stand before what. */
public final class Guards {
  private static final Guard LEASE = new HoldsLease();
  private static final Guard REST = new Rested();
  private static final List<Guard> STATE =
      List.of(LEASE, new LeaderAgreed(), new SameCluster(), new NothingInFlight(), new EveryoneAnswered(), new QuorumWithout(), new SmallLag());
  private static final List<Guard> ALL =
      List.of(LEASE, new LeaderAgreed(), new SameCluster(), new NothingInFlight(), new EveryoneAnswered(), new QuorumWithout(), new SmallLag(),
          new NotBackupSource(), REST);

  private Guards() {}

  /** Before a restart, a removal or a transfer: all nine. */
  public static Optional<Blocked> all(Situation situation, Kind kind, MemberView target) {
    return first(ALL, situation, new Disruption(kind, Optional.of(target)));
  }

  /** Between the steps of what has begun: all but the pause. */
  public static Optional<Blocked> state(Situation situation, Kind kind, MemberView target) {
    return first(STATE, situation, new Disruption(kind, Optional.of(target)));
  }

  /** Before a member is added: G1 to G7, with all voters healthy. */
  public static Optional<Blocked> add(Situation situation) {
    Optional<Blocked> state = first(STATE, situation, new Disruption(Kind.ADD, Optional.empty()));
    if (state.isPresent()) {
      return state;
    }
    return situation.voters().stream().filter(voter -> !situation.healthy(voter)).findFirst()
        .map(voter -> new Blocked("G6", voter.name() + " is not healthy"));
  }

  /** Before a learner is removed: it takes nothing from anybody, so that G1, G3 and G4 are enough. */
  public static Optional<Blocked> removeLearner(Situation situation, MemberView learner) {
    return first(List.of(LEASE, new LeaderAgreed(), new SameCluster()), situation, new Disruption(Kind.REMOVE, Optional.of(learner)));
  }

  /** Before leadership leaves a place that is about to go away: no time for pauses. */
  public static Optional<Blocked> urgentTransfer(Situation situation) {
    return first(List.of(LEASE, new LeaderAgreed(), new SameCluster()), situation, new Disruption(Kind.TRANSFER, situation.leading()));
  }

  private static Optional<Blocked> first(List<Guard> guards, Situation situation, Disruption disruption) {
    return guards.stream().flatMap(guard -> guard.check(situation, disruption).stream()).findFirst();
  }
}
