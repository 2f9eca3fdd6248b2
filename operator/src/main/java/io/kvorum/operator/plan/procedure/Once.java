package io.kvorum.operator.plan.procedure;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.Certificates.Phase;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import java.util.Optional;

/**
 * One action that is issued until it is known to have been done, three times at most: compaction, authentication, a phase of the certificates.
 * Authentication is on or off when the store itself says so.
 */
public final class Once implements Procedure {
  /** The only step of a compaction or of authentication; of certificates it is the phase's name. */
  public static final String DO = "Do";

  private static final int ATTEMPTS = 3;

  @Override
  public void advance(Situation situation, CurrentAction action, Draft draft) {
    draft.progress(action.type() == CurrentAction.Type.ROTATE_CERTIFICATES ? Reason.ROTATING_CERTIFICATES : Reason.CONFIGURING, action.reason());
    if (done(situation, action)) {
      switch (action.type()) {
        case COMPACT -> draft.event(EventReason.COMPACTED, "", "history is compacted");
        case ENABLE_AUTH -> draft.event(EventReason.AUTH_ENABLED, "", "authentication is enabled");
        case DISABLE_AUTH -> draft.event(EventReason.AUTH_DISABLED, "", "authentication is switched off; users and roles are kept");
        default -> { }
      }
      draft.ended();
      return;
    }
    boolean authentication = action.type() == CurrentAction.Type.ENABLE_AUTH || action.type() == CurrentAction.Type.DISABLE_AUTH;
    if (authentication && action.outcome().equals(CurrentAction.DONE) && situation.observation().store().authEnabled().isEmpty()) {
      // Nobody could tell in this pass.
      draft.requeue(Draft.PROMPT);
      return;
    }
    if (action.attempt() >= ATTEMPTS) {
      draft.failed();
      return;
    }
    draft.current(Steps.issue(action));
    draft.act(switch (action.type()) {
      case COMPACT -> new Action.Compact(Long.parseLong(action.reason().substring(action.reason().lastIndexOf(' ') + 1)));
      case ENABLE_AUTH -> new Action.EnableAuth();
      case DISABLE_AUTH -> new Action.DisableAuth();
      case ROTATE_CERTIFICATES -> new Action.RotateCertificates(Phase.valueOf(action.step()));
      default -> throw new IllegalStateException("not a procedure of one action: " + action.type());
    });
  }

  private static boolean done(Situation situation, CurrentAction action) {
    Optional<Boolean> auth = situation.observation().store().authEnabled();
    return switch (action.type()) {
      case ENABLE_AUTH -> auth.orElse(false);
      case DISABLE_AUTH -> !auth.orElse(true);
      default -> action.outcome().equals(CurrentAction.DONE);
    };
  }
}
