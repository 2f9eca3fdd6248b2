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
 * Rung 1: the cluster is being deleted. All pods go; nobody is removed from the member list, which would get stuck at the last ones; then claims
 * by policy. With
 * a final backup wanted nothing is touched, since backups cannot be taken yet.
 */
public final class Deletion implements Rung {
  @Override
  public boolean decide(Situation situation, Draft draft) {
    if (situation.cluster().getMetadata().getDeletionTimestamp() == null) {
      return false;
    }
    if (situation.spec().wantsFinalBackup()) {
      draft.progress(Reason.WAITING_FOR_USER, "a final backup is wanted and backups cannot be taken yet: set deletion.finalBackup to false to go on");
      return true;
    }
    draft.progress(Reason.DELETING, "deleting");
    if (situation.currentAction().map(CurrentAction::type).isPresent()) {
      draft.ended();
    }
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
