package io.kvorum.operator.plan.rung;

import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import java.util.Comparator;
import java.util.Optional;

/**
 * Rung 5: hibernated. After the final backup, when one is wanted, followers stop first, the leader last; volumes and member objects stay. Waking is the start of
 * missing pods in {@link QuorumLoss}.
 */
public final class Hibernation implements Rung {
  @Override
  public boolean decide(Situation situation, Draft draft) {
    if (!situation.spec().hibernated()) {
      return false;
    }
    if (!draft.memory().hibernated && !FinalBackup.done(situation, draft, "hibernate")) {
      return true;
    }
    Optional<PodState> next = situation.observation().pods().stream()
        .filter(pod -> !pod.terminating())
        .min(Comparator.comparing(pod -> situation.member(pod.member()).map(situation::leads).orElse(false)));
    boolean asleep = situation.observation().pods().isEmpty();
    draft.progress(Reason.HIBERNATING, asleep ? "hibernated" : "stopping the members");
    if (!asleep) {
      draft.requeue(Draft.PROMPT);
    }
    if (asleep && !draft.memory().hibernated) {
      draft.event(EventReason.HIBERNATED, "", "all members have stopped, their volumes are kept");
    }
    draft.memory().hibernated = asleep || draft.memory().hibernated;
    next.ifPresent(pod -> draft.act(new Action.DeletePod(pod.member(), pod.uid(), "Hibernated")));
    return true;
  }
}
