package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.KvorumOperationStatus.Phase;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.procedure.AddMember;
import io.kvorum.operator.plan.procedure.Defragment;
import io.kvorum.operator.plan.procedure.Once;
import io.kvorum.operator.plan.procedure.Procedure;
import io.kvorum.operator.plan.procedure.RecoverQuorum;
import io.kvorum.operator.plan.procedure.RelieveQuota;
import io.kvorum.operator.plan.procedure.RemoveMember;
import io.kvorum.operator.plan.procedure.RestartMember;
import io.kvorum.operator.plan.procedure.RestoreInPlace;
import io.kvorum.operator.plan.procedure.TransferLeader;

/** Rung 6: what has begun is finished before anything else begins. While it waits, work that disturbs nobody may use the pass. */
public final class FinishCurrent implements Rung {
  private final Upkeep upkeep = new Upkeep();

  @Override
  public boolean decide(Situation situation, Draft draft) {
    if (situation.currentAction().isEmpty()) {
      return false;
    }
    CurrentAction action = situation.currentAction().get();
    // A crash after the procedure was written and before its operation was.
    situation.observation().operations().stream()
        .filter(operation -> operation.getMetadata().getName().equals(action.operation()) && Operations.phase(operation) == Phase.PENDING)
        .forEach(operation -> draft.operation(operation, Phase.RUNNING, Operations.BEGUN, ""));
    procedure(action.type()).advance(situation, action, draft);
    if (!draft.acts() && draft.current().isPresent()) {
      upkeep.act(situation, draft, action.member());
    }
    return true;
  }

  static Procedure procedure(CurrentAction.Type type) {
    return switch (type) {
      case ADD_MEMBER -> new AddMember();
      case REMOVE_MEMBER -> new RemoveMember();
      case RESTART_MEMBER -> new RestartMember();
      case TRANSFER_LEADER -> new TransferLeader();
      case DEFRAGMENT -> new Defragment();
      case RELIEVE_QUOTA -> new RelieveQuota();
      case RECOVER_QUORUM -> new RecoverQuorum();
      case RESTORE_IN_PLACE -> new RestoreInPlace();
      case ENABLE_AUTH, DISABLE_AUTH, ROTATE_CERTIFICATES, COMPACT -> new Once();
      // The cluster id is latched, so that what was to be bootstrapped is.
      case BOOTSTRAP -> (situation, action, draft) -> draft.ended();
    };
  }
}
