package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.Certificates;
import io.kvorum.operator.observe.Observation.Certificates.Phase;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import io.kvorum.operator.plan.procedure.Once;
import java.time.Duration;
import java.time.Instant;

/**
 * A rotation of certificates moves one phase on when every member reports that it uses what this phase brought: trust both authorities, reissue
 * the leaves,
 * drop the old authority. One begins by itself when the authority's end is near. Leaves are renewed with the base objects in every pass.
 */
public final class CertificatePhases implements Rung {
  /** This long before its end the authority is replaced. */
  public static final Duration EARLY = Duration.ofDays(30);

  /** Name of the authority's certificate in the observation. */
  public static final String AUTHORITY = "ca";

  @Override
  public boolean decide(Situation situation, Draft draft) {
    Certificates certificates = situation.facts().certificates();
    if (!situation.mayBegin()) {
      return false;
    }
    Instant soon = situation.at().plus(EARLY);
    if (certificates.phase() == Phase.STABLE) {
      boolean ends = certificates.certificates().stream().anyMatch(one -> one.name().equals(AUTHORITY) && one.notAfter().isBefore(soon));
      if (ends) {
        move(situation, Phase.TRUST_BOTH, draft);
      }
      return ends;
    }
    if (!everybodyUses(situation, certificates)) {
      draft.requeue(Draft.PROMPT);
      return false;
    }
    move(situation, next(certificates.phase()), draft);
    return true;
  }

  private static Phase next(Phase phase) {
    return switch (phase) {
      case TRUST_BOTH -> Phase.REISSUE_LEAVES;
      case REISSUE_LEAVES -> Phase.DROP_OLD;
      case DROP_OLD, STABLE -> Phase.STABLE;
    };
  }

  /** Every member has answered and reports all expected fingerprints. */
  public static boolean everybodyUses(Situation situation, Certificates certificates) {
    return situation.members().stream().allMatch(member -> uses(member, certificates));
  }

  /** This member reports all expected fingerprints. */
  static boolean uses(MemberView member, Certificates certificates) {
    return member.answer().map(answer -> answer.certificateFingerprints().containsAll(certificates.expected())).orElse(false);
  }

  private static void move(Situation situation, Phase to, Draft draft) {
    draft.event(to == Phase.STABLE ? EventReason.CERTIFICATES_ROTATED : EventReason.CERTIFICATES_ROTATING, "", "certificates: " + to.name());
    CurrentAction action =
        Steps.begin(CurrentAction.Type.ROTATE_CERTIFICATES, "", to.name(), situation.at(), Duration.ofHours(1), "", "certificates: " + to.name());
    draft.current(action);
    new Once().advance(situation, action, draft);
  }
}
