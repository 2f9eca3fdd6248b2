package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.LeaderChoice;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import io.kvorum.operator.plan.guard.Guard;
import io.kvorum.operator.plan.guard.Guard.Blocked;
import io.kvorum.operator.plan.guard.Guards;
import io.kvorum.operator.plan.procedure.TransferLeader;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Rung 10a: the leader is where it should not stay. A place that is about to go away (a cordoned or evicting node, a terminating pod) is left at
 * once; for a
 * preferred zone the leader moves when it was elsewhere for a minute, so that it does not wander.
 */
public final class LeaderMigration implements Rung {
  /** How long the leader may be outside its preferred zone. */
  public static final Duration HOLD = Duration.ofMinutes(1);

  @Override
  public boolean decide(Situation situation, Draft draft) {
    Optional<MemberView> leading = situation.leading();
    if (leading.isEmpty() || situation.voterCount() < 2) {
      draft.memory().leaderMoveSince = "";
      return false;
    }
    boolean urgent = LeaderChoice.leaving(leading.get());
    Optional<MemberView> target = LeaderChoice.choose(situation, List.of(leading.get().name()));
    if (target.isEmpty() || !(urgent || preferred(situation, leading.get(), target.get()))) {
      draft.memory().leaderMoveSince = "";
      return false;
    }
    if (draft.memory().leaderMoveSince.isEmpty()) {
      draft.memory().leaderMoveSince = Api.time(situation.at());
    }
    boolean held = situation.since(situation.status().memory().leaderMoveSince()).compareTo(HOLD) >= 0;
    if (!situation.mayBegin() || !(urgent || held)) {
      draft.requeue(Draft.PROMPT);
      return false;
    }
    Optional<Blocked> blocked = urgent ? Guards.urgentTransfer(situation) : Guards.all(situation, Guard.Kind.TRANSFER, leading.get());
    if (blocked.isPresent()) {
      draft.blocked(blocked.get(), "moving leadership away from " + leading.get().name());
      return false;
    }
    String reason = urgent ? "its place is about to go away" : TransferLeader.TO + target.get().name();
    var action = Steps.begin(Type.TRANSFER_LEADER, leading.get().name(), TransferLeader.MOVE, situation.at(), Duration.ofMinutes(5), "", reason);
    draft.current(action);
    new TransferLeader().advance(situation, action, draft);
    return true;
  }

  private static boolean preferred(Situation situation, MemberView leading, MemberView target) {
    List<String> zones = situation.spec().preferredZones();
    return LeaderChoice.rank(zones, target.zone()) < LeaderChoice.rank(zones, leading.zone());
  }
}
