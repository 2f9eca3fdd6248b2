package io.kvorum.operator.plan.procedure;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.DataReport;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Goes on with one member after a majority was lost for good. The member of the current action is the survivor, once it is chosen.
 *
 * <ol>
 *   <li>Stop: every pod goes, and is proven gone by its absence.
 *   <li>Inspect: what is left is read. The survivor is the one with the highest term and index; another that the user names is taken only when
 *       the user also
 *       says which revision it must have and it has it.
 *   <li>Copy: its data is copied first.
 *   <li>Force: it starts alone with a forced membership of one and a new cluster token.
 *   <li>Latch: it leads, and has the revision asked for; its new cluster id is latched.
 *   <li>Settle: it is restarted without force, since a forced start that happens again would drop the members that joined meanwhile.
 *   <li>Discard: the other members' objects and claims go. Then the cluster grows as it always does, and {@link Aftermath} takes a backup.
 * </ol>
 *
 * Up to the copy nothing is lost by a failure: the pods start again on their claims.
 */
public final class RecoverQuorum implements Procedure {
  /** First step. */
  public static final String STOP = "Stop";

  static final String INSPECT = "Inspect";
  static final String COPY = "Copy";
  static final String FORCE = "Force";
  static final String SETTLE = "Settle";
  static final String DISCARD = "Discard";
  private static final Duration REPORTS = Duration.ofMinutes(5);

  @Override
  public void advance(Situation situation, CurrentAction action, Draft draft) {
    draft.progress(Reason.RECOVERING_QUORUM, "quorum recovery: " + action.step() + (action.member().isEmpty() ? "" : " " + action.member()));
    draft.current(action);
    boolean undecided = List.of(STOP, INSPECT, COPY).contains(action.step());
    boolean late = operation(situation, action)
        .map(found -> situation.since(action.startedAt()).compareTo(Duration.ofSeconds(found.getSpec().deadlineSeconds())) > 0).orElse(true);
    if (undecided && late) {
      fail(situation, action, draft, "not done before the deadline");
      return;
    }
    switch (action.step()) {
      case STOP -> stop(situation, action, draft);
      case INSPECT -> inspect(situation, action, draft);
      case COPY -> copy(situation, action, draft);
      case FORCE -> force(situation, action, draft);
      case SETTLE -> settle(situation, action, draft);
      default -> discard(situation, action, draft);
    }
  }

  private void stop(Situation situation, CurrentAction action, Draft draft) {
    if (situation.observation().pods().isEmpty()) {
      inspect(situation, Steps.to(action, INSPECT, situation.at()), draft);
      return;
    }
    situation.observation().pods().stream().filter(pod -> !pod.terminating()).findFirst().ifPresent(pod -> {
      draft.current(Steps.issue(action));
      draft.act(new Action.DeletePod(pod.member(), pod.uid(), "QuorumRecovery"));
    });
  }

  private void inspect(Situation situation, CurrentAction action, Draft draft) {
    draft.current(action);
    List<MemberView> candidates = situation.members().stream().filter(member -> !member.volumeLost() && member.id() != 0).toList();
    Instant started = Api.time(action.startedAt()).orElse(Instant.EPOCH);
    List<DataReport> reports = situation.observation().data().stream().filter(report -> !report.at().isBefore(started)).toList();
    boolean waited = situation.since(action.stepSince()).compareTo(REPORTS) > 0;
    Optional<MemberView> silent =
        candidates.stream().filter(member -> reports.stream().noneMatch(report -> report.member().equals(member.name()))).findFirst();
    if (silent.isPresent() && !waited) {
      draft.current(Steps.issue(action));
      draft.act(new Action.InspectData(silent.get().name()));
      return;
    }
    Optional<DataReport> best = reports.stream()
        .filter(report -> report.readable() && candidates.stream().anyMatch(member -> member.name().equals(report.member())))
        .max(Comparator.comparing(DataReport::lastTerm).thenComparing(DataReport::lastIndex));
    Optional<KvorumOperation> operation = operation(situation, action);
    if (best.isEmpty() || operation.isEmpty()) {
      fail(situation, action, draft, "no member has readable data");
      return;
    }
    String wish = operation.get().getSpec().recoverQuorum().survivor();
    Long least = operation.get().getSpec().recoverQuorum().minRevision();
    DataReport chosen = wish.isEmpty() ? best.get() : reports.stream().filter(report -> report.member().equals(wish) && report.readable()).findFirst().orElse(null);
    if (chosen == null) {
      fail(situation, action, draft, wish + " has no readable data");
    } else if (least != null && chosen.revision() < least) {
      fail(situation, action, draft, chosen.member() + " has revision " + chosen.revision() + " only");
    } else if (least == null && !chosen.member().equals(best.get().member())) {
      fail(situation, action, draft, best.get().member() + " has more than " + wish + "; name minRevision to accept less");
    } else {
      draft.event(EventReason.QUORUM_RECOVERY, chosen.member(),
          "going on with " + chosen.member() + " at revision " + chosen.revision() + ", term " + chosen.lastTerm() + ", index " + chosen.lastIndex());
      copy(situation, Steps.next(action, chosen.member(), List.of(), COPY, situation.at()), draft);
    }
  }

  private void copy(Situation situation, CurrentAction action, Draft draft) {
    draft.current(action);
    Optional<MemberView> survivor = situation.member(action.member()).filter(member -> !member.volumeLost());
    if (survivor.isEmpty()) {
      fail(situation, action, draft, action.member() + " has lost its volume");
    } else if (survivor.get().claim().orElseThrow().copied()) {
      // The token is written before the pod that uses it is started.
      draft.memory().clusterToken = situation.cluster().getMetadata().getName() + "-" + action.operation() + "-" + action.startedAt();
      draft.current(Steps.to(action, FORCE, situation.at()));
    } else {
      draft.current(Steps.issue(action));
      draft.act(new Action.CopyClaim(action.member()));
    }
  }

  private void force(Situation situation, CurrentAction action, Draft draft) {
    Optional<MemberView> survivor = situation.member(action.member());
    if (survivor.isEmpty() || survivor.get().volumeLost()) {
      fail(situation, action, draft, action.member() + " has lost its volume; its copy is kept");
      return;
    }
    MemberView member = survivor.get();
    if (member.pod().isEmpty()) {
      draft.current(Steps.issue(action));
      draft.act(new Action.StartPod(
          member.name(), List.of(member.name() + "=" + member.spec().peerURL()), situation.clusterToken(), Action.StartMode.FORCE_NEW_CLUSTER));
      return;
    }
    Optional<MemberAnswer> answer = alone(situation, member);
    if (answer.isEmpty()) {
      return;
    }
    Long least = operation(situation, action).map(found -> found.getSpec().recoverQuorum().minRevision()).orElse(null);
    if (least != null && answer.get().revision() < least) {
      fail(situation, action, draft, member.name() + " came back with revision " + answer.get().revision() + " only; its copy is kept");
      return;
    }
    draft.latch(answer.get().clusterId());
    draft.current(Steps.pod(Steps.to(action, SETTLE, situation.at()), member.pod().get().uid()));
  }

  private void settle(Situation situation, CurrentAction action, Draft draft) {
    MemberView member = situation.member(action.member()).orElse(null);
    if (member == null) {
      fail(situation, action, draft, action.member() + " is gone");
      return;
    }
    Optional<PodState> pod = member.pod();
    if (pod.isEmpty()) {
      draft.current(Steps.issue(action));
      draft.act(new Action.StartPod(
          member.name(), List.of(member.name() + "=" + member.spec().peerURL()), situation.clusterToken(), Action.StartMode.EXISTING));
    } else if (pod.get().uid().equals(action.podUID())) {
      if (!pod.get().terminating()) {
        draft.current(Steps.issue(action));
        draft.act(new Action.DeletePod(member.name(), pod.get().uid(), "QuorumRecovery"));
      }
    } else if (alone(situation, member).isPresent()) {
      draft.phase(member.name(), Phase.VOTING);
      discard(situation, Steps.to(action, DISCARD, situation.at()), draft);
    }
  }

  private void discard(Situation situation, CurrentAction action, Draft draft) {
    draft.current(action);
    Optional<MemberView> other = situation.members().stream().filter(member -> !member.name().equals(action.member())).findFirst();
    if (other.isPresent()) {
      draft.phase(other.get().name(), Phase.REMOVING);
      draft.current(Steps.issue(action));
      draft.act(new Action.ReleaseMember(other.get().name(), false));
      return;
    }
    draft.memory().recovered = action.operation();
    draft.memory().quorumLostSince = "";
    operation(situation, action).ifPresent(operation -> Aftermath.begin(situation, operation, draft, "the cluster goes on with " + action.member()));
    draft.event(EventReason.QUORUM_RESTORED, action.member(), "the cluster goes on with " + action.member());
    draft.succeeded();
  }

  /** The member's answer once it leads a cluster of itself alone. */
  static Optional<MemberAnswer> alone(Situation situation, MemberView member) {
    boolean listedAlone = situation.observation().store().membership()
        .map(list -> list.members().size() == 1 && list.members().getFirst().peerUrls().contains(member.spec().peerURL())).orElse(false);
    return member.answer().filter(answer -> listedAlone && answer.clusterId() != 0 && answer.leaderId() != 0 && answer.leaderId() == answer.memberId());
  }

  private static Optional<KvorumOperation> operation(Situation situation, CurrentAction action) {
    return situation.observation().operations().stream()
        .filter(operation -> operation.getMetadata().getName().equals(action.operation()) && operation.getSpec().recoverQuorum() != null).findFirst();
  }

  private static void fail(Situation situation, CurrentAction action, Draft draft, String why) {
    operation(situation, action).ifPresent(operation -> draft.operation(operation, KvorumOperationStatus.Phase.FAILED, action.step(), why));
    draft.failed();
  }
}
