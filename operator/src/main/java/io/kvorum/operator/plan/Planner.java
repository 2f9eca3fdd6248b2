package io.kvorum.operator.plan;

import io.kvorum.operator.api.Condition;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.rung.Authentication;
import io.kvorum.operator.plan.rung.Bootstrap;
import io.kvorum.operator.plan.rung.CertificatePhases;
import io.kvorum.operator.plan.rung.CorruptMember;
import io.kvorum.operator.plan.rung.DataComparison;
import io.kvorum.operator.plan.rung.Deletion;
import io.kvorum.operator.plan.rung.FinishCurrent;
import io.kvorum.operator.plan.rung.FullDatabase;
import io.kvorum.operator.plan.rung.Healing;
import io.kvorum.operator.plan.rung.Hibernation;
import io.kvorum.operator.plan.rung.Identity;
import io.kvorum.operator.plan.rung.LeaderMigration;
import io.kvorum.operator.plan.rung.Maintenance;
import io.kvorum.operator.plan.rung.Operations;
import io.kvorum.operator.plan.rung.Pause;
import io.kvorum.operator.plan.rung.QuorumLoss;
import io.kvorum.operator.plan.rung.RollingUpdate;
import io.kvorum.operator.plan.rung.Rung;
import io.kvorum.operator.plan.rung.ScaleDown;
import io.kvorum.operator.plan.rung.ScaleUp;
import io.kvorum.operator.plan.rung.Unfinished;
import io.kvorum.operator.plan.rung.Upkeep;
import io.kvorum.operator.plan.rung.Verifications;
import java.util.List;
import java.util.Optional;

/**
 * Decides what one pass does: a pure function from an observation to one action or none.
 *
 * <p>The ladder, first match wins:
 *
 * <ol>
 *   <li>deleting; paused; identity broken; verifications of backups, beside all else; quorum not available; hibernated; not yet bootstrapped
 *   <li>what has begun is finished
 *   <li>corrupt member; full database; unhealthy member; unfinished member; leader in the wrong place; a user's operation
 *   <li>scale up (more redundancy first); authentication; certificates; rolling update; scale down (never fewer members during a roll)
 *   <li>scheduled maintenance; comparison of the members' data; upkeep
 * </ol>
 *
 * A rung whose guard does not hold says so in the plan. No I/O, no clock but the observation's, no randomness.
 */
public final class Planner {
  private static final List<Rung> LADDER = List.of(
      new Deletion(), new Pause(), new Identity(), new Verifications(), new QuorumLoss(), new Hibernation(), new Bootstrap(), new FinishCurrent(), new CorruptMember(),
      new FullDatabase(), new Healing(), new Unfinished(), new LeaderMigration(), new Operations(), new ScaleUp(), new Authentication(),
      new CertificatePhases(), new RollingUpdate(), new ScaleDown(), new Maintenance(), new DataComparison(), new Upkeep());

  /** The plan for this observation. */
  public Plan plan(Observation observation) {
    Situation situation = new Situation(observation);
    Draft draft = new Draft(situation);
    Members.refresh(situation, draft);
    specChecked(situation, draft);
    DataComparison.found(situation, draft);
    if (!situation.facts().holdsLease()) {
      draft.progress(Reason.FROZEN, "this operator does not hold its lease");
      return draft.finish("Lease");
    }
    for (Rung rung : LADDER) {
      if (rung.decide(situation, draft)) {
        return draft.finish(rung.name());
      }
    }
    return draft.finish("Nothing");
  }

  /** Tells the user once when a specification is refused, and when it is no more. */
  private static void specChecked(Situation situation, Draft draft) {
    Optional<SpecCheck.Refusal> refusal = SpecCheck.check(situation);
    Optional<Condition> said = situation.status().condition("SpecAccepted");
    boolean refusedBefore = said.map(condition -> condition.status() == Condition.Status.FALSE).orElse(false);
    if (refusal.isPresent() && !(refusedBefore && said.get().message().equals(refusal.get().message()))) {
      draft.event(EventReason.SPEC_REJECTED, "", refusal.get().message());
    } else if (refusal.isEmpty() && refusedBefore) {
      draft.event(EventReason.SPEC_ACCEPTED, "", "the specification can be carried out");
    }
  }
}
