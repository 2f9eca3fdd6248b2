package io.kvorum.operator.plan.procedure;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;

/** Moves leadership away from a member, for its own sake. The member is where it was; the reason may name the one that shall lead. */
public final class TransferLeader implements Procedure {
  /** The only step. */
  public static final String MOVE = "Move";

  /** Begins a reason that names who shall lead. */
  public static final String TO = "to ";

  @Override
  public void advance(Situation situation, CurrentAction action, Draft draft) {
    draft.progress(Reason.TRANSFERRING_LEADER, "leadership leaves " + action.member() + ": " + action.reason());
    String wish = action.reason().startsWith(TO) ? action.reason().substring(TO.length()) : "";
    switch (LeaderTransfer.advance(situation, action, action.member(), wish, draft)) {
      case DONE -> {
        draft.memory().leaderMoveSince = "";
        draft.succeeded();
      }
      case FAILED -> draft.failed();
      case PENDING -> { }
    }
  }
}
