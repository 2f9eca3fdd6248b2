package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationSpec;
import io.kvorum.operator.api.KvorumOperationSpec.RotateCertificates.Kind;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.api.KvorumOperationStatus.Phase;
import io.kvorum.operator.observe.Observation.Certificates;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.LeaderChoice;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.RestartOrder;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import io.kvorum.operator.plan.guard.Guard;
import io.kvorum.operator.plan.guard.Guard.Blocked;
import io.kvorum.operator.plan.guard.Guards;
import io.kvorum.operator.plan.procedure.Aftermath;
import io.kvorum.operator.plan.procedure.Defragment;
import io.kvorum.operator.plan.procedure.Once;
import io.kvorum.operator.plan.procedure.RemoveMember;
import io.kvorum.operator.plan.procedure.RestartMember;
import io.kvorum.operator.plan.procedure.RestoreInPlace;
import io.kvorum.operator.plan.procedure.TransferLeader;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Rung 11: what a user asked to be done once, oldest first, one at a time. A precondition that does not hold rejects it before anything was
 * touched; a deadline
 * that passes fails it, while a procedure that it began is still brought to a safe end.
 */
public final class Operations implements Rung {
  /**
   * Step of an operation whose procedure was begun. A procedure that fails fails its operation; so one that is here without a procedure has
   * succeeded.
   */
  static final String BEGUN = "Begun";

  /** Where an operation is in its life. */
  public static Phase phase(KvorumOperation operation) {
    return operation.getStatus() == null ? Phase.PENDING : operation.getStatus().phase();
  }

  @Override
  public boolean decide(Situation situation, Draft draft) {
    for (KvorumOperation recovery : situation.observation().operations()) {
      if (Aftermath.of(situation, recovery) && Aftermath.advance(situation, recovery, draft)) {
        return true;
      }
    }
    Optional<KvorumOperation> oldest = situation.observation().operations().stream()
        .filter(operation -> !phase(operation).isFinal() && operation.getSpec().verifyBackup() == null && !Aftermath.of(situation, operation)).findFirst();
    if (oldest.isEmpty()) {
      return false;
    }
    KvorumOperation operation = oldest.get();
    draft.requeue(Draft.PROMPT);
    if (phase(operation) == Phase.RUNNING
        && situation.since(status(operation).startedAt()).compareTo(Duration.ofSeconds(operation.getSpec().deadlineSeconds())) > 0) {
      draft.operation(operation, Phase.FAILED, status(operation).step(), "not done before the deadline");
      return true;
    }
    return run(situation, operation, draft);
  }

  private static boolean run(Situation situation, KvorumOperation operation, Draft draft) {
    KvorumOperationSpec spec = operation.getSpec();
    if (spec.transferLeader() != null) {
      return transfer(situation, operation, spec.transferLeader(), draft);
    }
    if (spec.restart() != null) {
      return restart(situation, operation, spec.restart(), draft);
    }
    if (spec.replaceMember() != null) {
      return replace(situation, operation, spec.replaceMember(), draft);
    }
    if (spec.defragment() != null) {
      return defragment(situation, operation, spec.defragment(), draft);
    }
    if (spec.compact() != null) {
      long revision = spec.compact().revision() == null
          ? situation.leading().flatMap(MemberView::answer).map(answer -> answer.revision()).orElse(1L) : spec.compact().revision();
      return once(situation, operation, Type.COMPACT, Once.DO, "compaction up to revision " + revision, draft);
    }
    if (spec.rotateCertificates() != null) {
      return rotate(situation, operation, spec.rotateCertificates().kind(), draft);
    }
    return spec.restoreInPlace() != null ? restore(situation, operation, draft) : reject(operation, "quorum is available", draft);
  }

  private static boolean restore(Situation situation, KvorumOperation operation, Draft draft) {
    Optional<String> refusal = RestoreInPlace.refusal(situation, operation.getSpec().restoreInPlace());
    if (refusal.isPresent()) {
      return reject(operation, refusal.get(), draft);
    }
    RestoreInPlace.begin(situation, operation, draft);
    return true;
  }

  /** The oldest restore that is asked for, while quorum is lost and nothing but a recovery may run. */
  static boolean restoreInPlace(Situation situation, Draft draft) {
    Optional<KvorumOperation> wanted = situation.observation().operations().stream()
        .filter(operation -> operation.getSpec().restoreInPlace() != null && !phase(operation).isFinal() && !Aftermath.of(situation, operation)).findFirst();
    return wanted.isPresent() && restore(situation, wanted.get(), draft);
  }

  private static boolean transfer(Situation situation, KvorumOperation operation, KvorumOperationSpec.TransferLeader wish, Draft draft) {
    String to = wish.to() == null ? "" : wish.to();
    MemberView leading = situation.leading().orElse(null);
    if (leading == null) {
      return false;
    }
    if (status(operation).step().equals(BEGUN) || leading.name().equals(to)) {
      draft.operation(operation, Phase.SUCCEEDED, "", leading.name() + " leads");
      return true;
    }
    boolean possible = to.isEmpty()
        ? LeaderChoice.choose(situation, List.of(leading.name())).isPresent()
        : situation.member(to).filter(member -> member.voter(true) && LeaderChoice.suits(situation, member)).isPresent();
    if (!possible) {
      return reject(operation, to.isEmpty() ? "no healthy voter could take over" : to + " is no healthy voter that has caught up", draft);
    }
    Optional<Blocked> blocked = Guards.all(situation, Guard.Kind.TRANSFER, leading);
    if (blocked.isPresent()) {
      draft.blocked(blocked.get(), "operation " + operation.getMetadata().getName());
      return false;
    }
    draft.operation(operation, Phase.RUNNING, BEGUN, "from " + leading.name() + " to " + (to.isEmpty() ? "any" : to));
    CurrentAction action = Steps.begin(
        Type.TRANSFER_LEADER, leading.name(), TransferLeader.MOVE, situation.at(), Duration.ofMinutes(5), operation.getMetadata().getName(),
        to.isEmpty() ? "operation" : TransferLeader.TO + to);
    draft.current(action);
    new TransferLeader().advance(situation, action, draft);
    return true;
  }

  private static boolean restart(Situation situation, KvorumOperation operation, KvorumOperationSpec.Restart wish, Draft draft) {
    Optional<String> unknown = wish.members().stream().filter(name -> situation.member(name).isEmpty()).findFirst();
    if (unknown.isPresent() && phase(operation) == Phase.PENDING) {
      return reject(operation, "there is no member " + unknown.get(), draft);
    }
    Instant asked = Api.time(status(operation).startedAt()).orElse(situation.at());
    List<MemberView> left = situation.voters().stream()
        .filter(member -> wish.members().isEmpty() || wish.members().contains(member.name()))
        .filter(member -> member.pod().isPresent() && member.pod().get().createdAt().isBefore(asked)).toList();
    if (left.isEmpty()) {
      draft.operation(operation, Phase.SUCCEEDED, "", "all have been restarted");
      return true;
    }
    MemberView next = RestartOrder.of(situation, left).getFirst();
    Optional<Blocked> blocked = RestartOrder.serves(situation, next) ? Guards.all(situation, Guard.Kind.RESTART, next) : Optional.empty();
    if (blocked.isPresent()) {
      draft.blocked(blocked.get(), "operation " + operation.getMetadata().getName());
      return false;
    }
    draft.operation(operation, Phase.RUNNING, next.name(), "");
    RestartMember.begin(situation, draft, next, operation.getMetadata().getName(), wish.reason().isEmpty() ? "Operation" : wish.reason());
    return true;
  }

  private static boolean replace(Situation situation, KvorumOperation operation, KvorumOperationSpec.ReplaceMember wish, Draft draft) {
    Optional<MemberView> member = situation.member(wish.member());
    if (status(operation).step().equals(BEGUN)) {
      if (member.isEmpty() && situation.voterCount() >= situation.spec().replicas()) {
        draft.operation(operation, Phase.SUCCEEDED, "", wish.member() + " is replaced");
        return true;
      }
      if (member.isEmpty()) {
        // The rungs below bring the new one.
        return false;
      }
    }
    if (member.isEmpty() || !member.get().voter(true)) {
      return reject(operation, wish.member() + " is no voter", draft);
    }
    Optional<Blocked> blocked = Guards.all(situation, Guard.Kind.REMOVE, member.get());
    if (blocked.isPresent()) {
      if (situation.voterCount() == 1) {
        return reject(operation, wish.member() + " is the only voter: delete its KvorumMember to have a second one join first", draft);
      }
      draft.blocked(blocked.get(), "operation " + operation.getMetadata().getName());
      return false;
    }
    draft.operation(operation, Phase.RUNNING, BEGUN, "");
    RemoveMember.begin(situation, draft, member.get(), operation.getMetadata().getName(), "Operation", wish.keepVolume());
    return true;
  }

  private static boolean defragment(Situation situation, KvorumOperation operation, KvorumOperationSpec.Defragment wish, Draft draft) {
    if (status(operation).step().equals(BEGUN)) {
      draft.operation(operation, Phase.SUCCEEDED, "", "space is reclaimed");
      return true;
    }
    Set<String> names = new HashSet<>(situation.voters().stream().map(MemberView::name).toList());
    if (!names.containsAll(wish.members())) {
      return reject(operation, "not all of " + wish.members() + " are voters", draft);
    }
    if (!wish.members().isEmpty()) {
      names.retainAll(wish.members());
    }
    Optional<Blocked> blocked = situation.voters().stream().filter(voter -> !situation.leads(voter) || situation.voterCount() == 1).findFirst()
        .flatMap(voter -> Guards.all(situation, Guard.Kind.RESTART, voter));
    if (blocked.isPresent()) {
      draft.blocked(blocked.get(), "operation " + operation.getMetadata().getName());
      return false;
    }
    draft.operation(operation, Phase.RUNNING, BEGUN, "");
    Defragment.begin(situation, draft, names, operation.getMetadata().getName(), "operation");
    return true;
  }

  private static boolean rotate(Situation situation, KvorumOperation operation, Kind kind, Draft draft) {
    Certificates certificates = situation.facts().certificates();
    if (status(operation).step().equals(BEGUN)) {
      if (certificates.phase() == Certificates.Phase.STABLE) {
        draft.operation(operation, Phase.SUCCEEDED, "", "all members use the new certificates");
        return true;
      }
      return false;
    }
    if (certificates.certificates().isEmpty()) {
      return reject(operation, "the operator does not make this cluster's certificates", draft);
    }
    if (certificates.phase() != Certificates.Phase.STABLE) {
      return reject(operation, "a rotation is under way", draft);
    }
    Certificates.Phase first = kind == Kind.LEAF ? Certificates.Phase.REISSUE_LEAVES : Certificates.Phase.TRUST_BOTH;
    return once(situation, operation, Type.ROTATE_CERTIFICATES, first.name(), "certificates: " + first.name(), draft);
  }

  /** One action. */
  private static boolean once(Situation situation, KvorumOperation operation, Type type, String step, String reason, Draft draft) {
    if (status(operation).step().equals(BEGUN)) {
      draft.operation(operation, Phase.SUCCEEDED, "", "");
      return true;
    }
    draft.operation(operation, Phase.RUNNING, BEGUN, "");
    CurrentAction action =
        Steps.begin(type, "", step, situation.at(), Duration.ofSeconds(operation.getSpec().deadlineSeconds()), operation.getMetadata().getName(), reason);
    draft.current(action);
    new Once().advance(situation, action, draft);
    return true;
  }

  private static boolean reject(KvorumOperation operation, String why, Draft draft) {
    draft.operation(operation, Phase.REJECTED, "", why);
    return true;
  }

  private static KvorumOperationStatus status(KvorumOperation operation) {
    return operation.getStatus() == null ? KvorumOperationStatus.EMPTY : operation.getStatus();
  }
}
