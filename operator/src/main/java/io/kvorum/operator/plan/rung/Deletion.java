package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import java.util.Optional;

/**
 * Rung 1: the cluster is being deleted. First the final backup, when one is wanted; then all pods go; nobody is removed from the member list, which would get
 * stuck at the last ones; then claims by policy.
 */
public final class Deletion implements Rung {
  @Override
  public boolean decide(Situation situation, Draft draft) {
    if (situation.cluster().getMetadata().getDeletionTimestamp() == null) {
      return false;
    }
    if (situation.currentAction().map(CurrentAction::type).isPresent()) {
      draft.ended();
    }
    if (!FinalBackup.done(situation, draft, "final")) {
      return true;
    }
    draft.progress(Reason.DELETING, "deleting");
    Optional<PodState> pod = situation.observation().pods().stream().filter(found -> !found.terminating()).findFirst();
    if (pod.isPresent()) {
      draft.act(new Action.DeletePod(pod.get().member(), pod.get().uid(), "ClusterDeleted"));
    } else if (situation.observation().pods().isEmpty()) {
      draft.event(EventReason.DELETING, "", "all members have stopped");
      draft.act(new Action.FinishDeletion());
    }
    draft.requeue(Draft.PROMPT);
    return true;
  }
}
