package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.BackupFacts;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.RestartOrder;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import io.kvorum.operator.plan.procedure.Aftermath;
import io.kvorum.operator.plan.procedure.RecoverQuorum;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Rung 4: quorum is not available. Nothing but missing pods on their own claims; those are also what wakes a hibernated cluster. A pod that
 * serves nobody is
 * made anew when its template has changed. Only a quorum recovery that
 * the user asked for may do more. A single voter's restart passes through here as well.
 */
public final class QuorumLoss implements Rung {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  /** How lasting it is. */
  public enum Kind {
    /** Enough members are there and have no leader in common yet. */
    ELECTING,
    /** Members are missing, their volumes are not. */
    TRANSIENT,
    /** A majority has lost its volume or its data, for longer than members are given to come back. */
    PERMANENT,
    /** Nobody answers though the pods look well. */
    UNOBSERVABLE
  }

  @Override
  public boolean decide(Situation situation, Draft draft) {
    if (situation.recovering()) {
      CurrentAction recovery = situation.currentAction().orElseThrow();
      FinishCurrent.procedure(recovery.type()).advance(situation, recovery, draft);
      return true;
    }
    if (situation.clusterId() == 0 || situation.spec().hibernated()) {
      draft.memory().quorumLostSince = "";
      return false;
    }
    if (situation.quorumAvailable()) {
      restored(draft);
      return false;
    }
    draft.requeue(Draft.PROMPT);
    boolean waking = draft.memory().hibernated;
    if (draft.memory().quorumLostSince.isEmpty()) {
      draft.memory().quorumLostSince = Api.time(situation.at());
    }
    if (recover(situation, draft)) {
      return true;
    }
    Kind kind = kind(situation);
    draft.progress(
        waking ? Reason.WAKING : Reason.FROZEN,
        waking ? "starting the members" : "quorum is not available: " + kind.name().toLowerCase(Locale.ROOT));
    // Said once, and not for the moment that an election takes.
    Duration lost = situation.since(situation.status().memory().quorumLostSince());
    boolean said = situation.status().condition("QuorumAvailable").map(condition -> condition.reason().equals("PermanentLoss")).orElse(false);
    if (!waking && kind == Kind.PERMANENT && !said) {
      draft.event(EventReason.QUORUM_LOST, "",
          "a majority has lost its data after " + lost.toSeconds() + " s: see status.survivors, then create a KvorumOperation recoverQuorum; "
              + BackupFacts.newestVerified(situation));
    }
    Optional<MemberView> missing = missingPod(situation);
    Optional<MemberView> wrong = wrongPod(situation);
    if (missing.isPresent()) {
      draft.act(new Action.StartPod(
          missing.get().name(), missing.get().spec().initialPeers(), missing.get().spec().clusterToken(), Action.StartMode.EXISTING));
    } else if (wrong.isPresent()) {
      draft.act(new Action.DeletePod(wrong.get().name(), wrong.get().pod().orElseThrow().uid(), "TemplateChanged"));
    }
    return true;
  }

  private static void restored(Draft draft) {
    if (!draft.memory().quorumLostSince.isEmpty()) {
      draft.event(draft.memory().hibernated ? EventReason.WOKEN : EventReason.QUORUM_RESTORED, "", "a leader is agreed and enough voters are healthy");
    }
    draft.memory().quorumLostSince = "";
    draft.memory().hibernated = false;
    draft.memory().finalBackup = "";
    draft.memory().finalBackupVerified = false;
  }

  /**
   * A member that ran before and has no pod; a learner too, since its promotion may have been the last thing that happened. One that is being
   * removed may be out of the member list already, and is started only when all others run and there is no quorum
   * without it: then it was not removed after all.
   */
  private static Optional<MemberView> missingPod(Situation situation) {
    List<MemberView> missing = situation.members().stream()
        // No role: the last member list that could be read did not contain it.
        .filter(member -> member.pod().isEmpty() && !member.volumeLost() && member.status().role() != null && !member.spec().initialPeers().isEmpty()).toList();
    Optional<MemberView> staying = missing.stream().filter(voter -> voter.status().phase() != Phase.REMOVING).findFirst();
    if (staying.isPresent()) {
      return staying;
    }
    boolean othersRun = situation.voters().stream().allMatch(voter -> voter.podReady() || voter.volumeLost() || voter.status().phase() == Phase.REMOVING);
    boolean waited = situation.since(situation.status().memory().quorumLostSince()).compareTo(PATIENCE) >= 0;
    return othersRun && waited ? missing.stream().findFirst() : Optional.empty();
  }

  /** A pod that serves nobody and is of an old template: what keeps it from running may be what the user has corrected since. */
  private static Optional<MemberView> wrongPod(Situation situation) {
    return situation.members().stream()
        .filter(member -> member.id() != 0 && situation.outdated(member) && !RestartOrder.serves(situation, member) && !member.unreachable()
            && !member.volumeLost() && !member.pod().orElseThrow().terminating())
        .findFirst();
  }

  private static boolean recover(Situation situation, Draft draft) {
    Optional<KvorumOperation> wanted = situation.observation().operations().stream()
        .filter(operation -> operation.getSpec().recoverQuorum() != null && !Operations.phase(operation).isFinal() && !Aftermath.of(situation, operation))
        .findFirst();
    if (wanted.isEmpty()) {
      return Operations.restoreInPlace(situation, draft);
    }
    String name = wanted.get().getMetadata().getName();
    CurrentAction action = Steps.begin(
        Type.RECOVER_QUORUM, "", RecoverQuorum.STOP, situation.at(), Duration.ofSeconds(wanted.get().getSpec().deadlineSeconds()), name, "asked for by " + name);
    draft.operation(wanted.get(), KvorumOperationStatus.Phase.RUNNING, RecoverQuorum.STOP, "");
    draft.event(EventReason.QUORUM_RECOVERY, "", "quorum recovery begins: all members are stopped");
    draft.current(action);
    new RecoverQuorum().advance(situation, action, draft);
    return true;
  }

  /** How lasting the loss is. */
  public static Kind kind(Situation situation) {
    List<MemberView> voters = situation.voters();
    long gone = voters.stream().filter(voter -> voter.volumeLost() || voter.corrupt()).count();
    if (gone > voters.size() - Situation.quorum(Math.max(1, voters.size()))) {
      Duration lost = situation.since(situation.status().memory().quorumLostSince());
      return lost.compareTo(situation.spec().healing().untilReplace()) >= 0 ? Kind.PERMANENT : Kind.TRANSIENT;
    }
    long ready = voters.stream().filter(MemberView::podReady).count();
    long answering = voters.stream().filter(voter -> voter.answer().isPresent()).count();
    if (answering >= Situation.quorum(Math.max(1, voters.size()))) {
      return Kind.ELECTING;
    }
    return ready >= Situation.quorum(Math.max(1, voters.size())) ? Kind.UNOBSERVABLE : Kind.TRANSIENT;
  }
}
