package io.kvorum.operator.plan.procedure;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumMemberSpec.JoinMode;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationSpec;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.backup.Chains;
import io.kvorum.operator.backup.Places;
import io.kvorum.operator.desired.SeedRestore;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * Puts the cluster back to a backup. The member of the current action is the new one that is made from it, once it has a name; its target is the former member whose
 * volume is kept; its term is the newest revision that anybody may have seen.
 *
 * <ol>
 *   <li>Stop: every pod goes, and is proven gone by its absence.
 *   <li>Create: a member that never was, on a volume of its own. The volumes of the others are as they were until the new one leads.
 *   <li>Restore: its pod makes its data directory from the backup and starts. Revisions jump beyond all that were seen before, and watches from before end.
 *   <li>Discard: it leads alone; its cluster id and token are latched, and the other members' objects and claims go, but for the volume of the former leader, which is
 *       kept with its member id. Then the cluster grows, and {@link Aftermath} takes a backup.
 *   <li>Undo: it did not lead before the deadline. The new member goes, and the others start again on their volumes.
 * </ol>
 */
public final class RestoreInPlace implements Procedure {
  static final String STOP = "Stop";
  static final String CREATE = "Create";
  static final String RESTORE = "Restore";
  static final String DISCARD = "Discard";
  static final String UNDO = "Undo";
  private static final long REVISION_BUMP = 1_000_000_000L;

  /** Why it cannot be done; empty when it can. */
  public static Optional<String> refusal(Situation situation, KvorumOperationSpec.RestoreInPlace wish) {
    Places.Found found = find(situation, wish, 0);
    return found.restore().isPresent() ? Optional.empty() : Optional.of(found.problem());
  }

  /** Begins; the caller has asked {@link #refusal}. */
  public static void begin(Situation situation, KvorumOperation operation, Draft draft) {
    String name = operation.getMetadata().getName();
    Duration bound = Duration.ofSeconds(operation.getSpec().deadlineSeconds());
    String kept = situation.leading().or(() -> situation.members().stream().filter(member -> !member.volumeLost() && member.id() != 0).findFirst())
        .map(MemberView::name).orElse("");
    // Without an answer: data that came from a backup before has gone on from there.
    long seen = LongStream.concat(
        LongStream.of(situation.status().memory().revisionFloor()),
        situation.members().stream().flatMap(member -> member.answer().stream()).mapToLong(MemberAnswer::revision)).max().orElse(0);
    CurrentAction action = Steps.remember(
        Steps.begin(Type.RESTORE_IN_PLACE, "", STOP, situation.at(), bound, name, "asked for by " + name), kept, seen);
    draft.operation(operation, KvorumOperationStatus.Phase.RUNNING, STOP, "");
    draft.event(EventReason.RESTORING, "", "a restore of KvorumBackup " + operation.getSpec().restoreInPlace().backupRef() + " begins: all members are stopped");
    draft.current(action);
    new RestoreInPlace().advance(situation, action, draft);
  }

  private static Places.Found find(Situation situation, KvorumOperationSpec.RestoreInPlace wish, long seen) {
    List<KvorumBackup> all = situation.observation().backups().all();
    long end = all.stream().filter(backup -> backup.getMetadata().getName().equals(wish.backupRef())).mapToLong(Chains::revision).findFirst().orElse(0);
    long target = wish.revision() == null ? end : wish.revision();
    long bump = REVISION_BUMP + Math.max(0, seen - target);
    return Places.of(wish.backupRef(), Optional.ofNullable(wish.revision()), Optional.empty(), all, bump, true);
  }

  @Override
  public void advance(Situation situation, CurrentAction action, Draft draft) {
    draft.progress(Reason.RESTORING, "restore: " + action.step() + (action.member().isEmpty() ? "" : " " + action.member()));
    draft.current(action);
    boolean undecided = List.of(STOP, CREATE, RESTORE).contains(action.step());
    boolean late = operation(situation, action).isEmpty() || Api.time(action.deadline()).map(end -> situation.at().isAfter(end)).orElse(false);
    if (undecided && late) {
      undo(situation, Steps.about(action, action.member(), UNDO, situation.at()), draft, "it was not done before the deadline" + why(situation, action));
      return;
    }
    switch (action.step()) {
      case STOP -> stop(situation, action, draft);
      case CREATE -> create(situation, action, draft);
      case RESTORE -> restore(situation, action, draft);
      case DISCARD -> discard(situation, action, draft);
      default -> undo(situation, action, draft, action.reason());
    }
  }

  private static String why(Situation situation, CurrentAction action) {
    return situation.member(action.member()).flatMap(MemberView::pod).map(PodState::waitingReason).filter(reason -> !reason.isEmpty())
        .map(reason -> ": " + reason).orElse("");
  }

  private void stop(Situation situation, CurrentAction action, Draft draft) {
    if (situation.observation().pods().isEmpty()) {
      String name = situation.cluster().getMetadata().getName() + "-" + draft.ordinal();
      draft.current(Steps.about(action, name, CREATE, situation.at()));
      return;
    }
    situation.observation().pods().stream().filter(pod -> !pod.terminating()).findFirst().ifPresent(pod -> {
      draft.current(Steps.issue(action));
      draft.act(new Action.DeletePod(pod.member(), pod.uid(), "Restore"));
    });
  }

  private void create(Situation situation, CurrentAction action, Draft draft) {
    if (situation.member(action.member()).isPresent()) {
      restore(situation, Steps.about(action, action.member(), RESTORE, situation.at()), draft);
      return;
    }
    int ordinal = Integer.parseInt(action.member().substring(action.member().lastIndexOf('-') + 1));
    draft.current(Steps.issue(action));
    draft.act(new Action.CreateMember(action.member(), ordinal, JoinMode.RESTORE_SEED, token(situation, action)));
    draft.event(EventReason.MEMBER_CREATED, action.member(), "member " + action.member() + " was made for the restore");
  }

  /** The new cluster's token: another one than before, so that nobody of the old cluster meets it. */
  private static String token(Situation situation, CurrentAction action) {
    return situation.cluster().getMetadata().getName() + "-" + action.operation() + "-" + action.startedAt();
  }

  private void restore(Situation situation, CurrentAction action, Draft draft) {
    draft.current(action);
    MemberView member = situation.member(action.member()).orElse(null);
    if (member == null || member.volumeLost()) {
      undo(situation, Steps.about(action, action.member(), UNDO, situation.at()), draft, "the new member's volume is gone");
      return;
    }
    if (member.pod().isEmpty()) {
      Places.Found found = find(situation, operation(situation, action).orElseThrow().getSpec().restoreInPlace(), action.term());
      if (found.restore().isEmpty()) {
        undo(situation, Steps.about(action, action.member(), UNDO, situation.at()), draft, found.problem());
        return;
      }
      draft.phase(member.name(), Phase.STARTING);
      draft.current(Steps.issue(action));
      draft.act(start(member, found.restore()));
      return;
    }
    Optional<MemberAnswer> answer = RecoverQuorum.alone(situation, member).filter(found -> found.clusterId() != situation.clusterId());
    if (answer.isPresent()) {
      draft.latch(answer.get().clusterId());
      draft.memory().clusterToken = member.spec().clusterToken();
      draft.memory().revisionFloor = answer.get().revision();
      draft.phase(member.name(), Phase.VOTING);
      draft.event(EventReason.RESTORED, member.name(), member.name() + " leads at revision " + answer.get().revision());
      draft.current(Steps.about(action, member.name(), DISCARD, situation.at()));
    }
  }

  private static Action.StartPod start(MemberView member, Optional<SeedRestore> restore) {
    // As of an existing cluster: without the restored data it must not begin an empty one.
    return new Action.StartPod(
        member.name(), List.of(member.name() + "=" + member.spec().peerURL()), member.spec().clusterToken(), Action.StartMode.EXISTING, restore);
  }

  private void discard(Situation situation, CurrentAction action, Draft draft) {
    draft.current(action);
    Optional<MemberView> other = situation.members().stream().filter(member -> !member.name().equals(action.member())).findFirst();
    if (other.isPresent()) {
      draft.phase(other.get().name(), Phase.REMOVING);
      draft.current(Steps.issue(action));
      draft.act(new Action.ReleaseMember(other.get().name(), other.get().name().equals(action.target())));
      return;
    }
    draft.memory().recovered = action.operation();
    draft.memory().quorumLostSince = "";
    operation(situation, action).ifPresent(operation -> Aftermath.begin(situation, operation, draft,
        "restored from KvorumBackup " + operation.getSpec().restoreInPlace().backupRef() + " as " + action.member()
            + (action.target().isEmpty() ? "" : ", the volume of " + action.target() + " is kept")));
    draft.succeeded();
  }

  /** The new member goes; the others start again by themselves, since nothing of theirs was touched. */
  private void undo(Situation situation, CurrentAction written, Draft draft, String why) {
    CurrentAction action = new CurrentAction(
        written.type(), written.member(), UNDO, written.startedAt(), written.deadline(), written.attempt(), written.stepSince(), written.target(), written.term(),
        written.tried(), written.memberID(), written.podUID(), written.done(), written.outcome(), written.operation(), cut(why));
    draft.current(action);
    Optional<MemberView> member = situation.member(action.member());
    Optional<PodState> pod = member.flatMap(MemberView::pod);
    if (pod.isPresent()) {
      if (!pod.get().terminating()) {
        draft.current(Steps.issue(action));
        draft.act(new Action.DeletePod(action.member(), pod.get().uid(), "Restore"));
      }
    } else if (member.isPresent()) {
      draft.phase(action.member(), Phase.REMOVING);
      draft.current(Steps.issue(action));
      draft.act(new Action.ReleaseMember(action.member(), false));
    } else {
      operation(situation, action).ifPresent(operation -> draft.operation(operation, KvorumOperationStatus.Phase.FAILED, UNDO, why));
      draft.failed();
    }
  }

  private static String cut(String why) {
    return why.length() <= 256 ? why : why.substring(0, 256);
  }

  private static Optional<KvorumOperation> operation(Situation situation, CurrentAction action) {
    return situation.observation().operations().stream()
        .filter(operation -> operation.getMetadata().getName().equals(action.operation()) && operation.getSpec().restoreInPlace() != null).findFirst();
  }
}
