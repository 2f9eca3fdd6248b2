package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.BootstrapSpec;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.api.KvorumMemberSpec.JoinMode;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.backup.Places;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.SpecCheck;
import io.kvorum.operator.plan.Steps;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Before the first cluster id is latched: one seed forms a cluster of one member.
 *
 * <ol>
 *   <li>Its ordinal is given out and written; then its object and claim are made, then its pod starts as a new cluster.
 *   <li>With a recovery its data directory is made from the backup before it starts; what cannot be read of it is corrected by the user.
 *   <li>When it answers as its own leader, its cluster id is latched. From then on nobody ever starts as a new cluster again.
 *   <li>A seed that lost its volume before that never belonged to anything: it goes, and another ordinal begins. One that the user deleted is
 *       replaced later,
 *       like any other: it may hold the first writes.
 * </ol>
 */
public final class Bootstrap implements Rung {
  private static final Duration BOUND = Duration.ofHours(24);

  @Override
  public boolean decide(Situation situation, Draft draft) {
    if (situation.clusterId() != 0) {
      return false;
    }
    draft.requeue(Draft.PROMPT);
    if (situation.spec().hibernated() && situation.members().isEmpty()) {
      draft.progress(Reason.HIBERNATING, "not begun");
      return true;
    }
    Optional<SpecCheck.Refusal> refusal = SpecCheck.check(situation);
    if (refusal.isPresent()) {
      draft.progress(Reason.BOOTSTRAPPING, refusal.get().message());
      return true;
    }
    if (source(situation).filter(found -> found.restore().isEmpty()).isPresent()) {
      draft.progress(Reason.WAITING_FOR_USER, "bootstrap.recovery: " + source(situation).get().problem());
      return true;
    }
    CurrentAction action = situation.currentAction().filter(current -> current.type() == Type.BOOTSTRAP).orElseGet(() -> begin(situation, draft));
    draft.current(action);
    Optional<MemberView> seed = situation.member(action.member());
    String waiting = seed.flatMap(MemberView::pod).map(PodState::waitingReason).filter(why -> !why.isEmpty()).map(why -> ": " + why).orElse("");
    draft.progress(
        source(situation).isPresent() ? Reason.RESTORING : Reason.BOOTSTRAPPING,
        "the first member is " + action.member() + (source(situation).isPresent() ? ", made from a backup" + waiting : ""));
    if (seed.isEmpty()) {
      create(situation, action, draft);
    } else if (seed.get().volumeLost()) {
      discard(situation, seed.get(), draft);
    } else {
      form(situation, action, seed.get(), draft);
    }
    return true;
  }

  /** What the first member is made from; empty for an empty cluster. */
  private static Optional<Places.Found> source(Situation situation) {
    return Optional.ofNullable(situation.spec().bootstrap()).map(BootstrapSpec::recovery)
        .map(recovery -> Places.resolve(recovery, Optional.ofNullable(situation.spec().backup()), situation.observation().backups().all()));
  }

  private static CurrentAction begin(Situation situation, Draft draft) {
    String name = situation.members().isEmpty()
        ? situation.cluster().getMetadata().getName() + "-" + draft.ordinal() : situation.members().getFirst().name();
    return Steps.begin(Type.BOOTSTRAP, name, "Create", situation.at(), BOUND, "", "a new cluster");
  }

  private static void create(Situation situation, CurrentAction action, Draft draft) {
    if (action.step().equals("Discard")) {
      // The object is gone for good, and so is its ordinal.
      draft.ended();
      return;
    }
    int ordinal = Integer.parseInt(action.member().substring(action.member().lastIndexOf('-') + 1));
    draft.current(Steps.issue(action));
    draft.act(new Action.CreateMember(action.member(), ordinal, source(situation).isPresent() ? JoinMode.RESTORE_SEED : JoinMode.SEED, situation.clusterToken()));
    draft.event(EventReason.MEMBER_CREATED, action.member(), "member " + action.member() + " was made");
  }

  private static void discard(Situation situation, MemberView seed, Draft draft) {
    CurrentAction action = draft.current().orElseThrow();
    draft.current(Steps.issue(action.step().equals("Discard") ? action : Steps.to(action, "Discard", situation.at())));
    draft.phase(seed.name(), Phase.REMOVING);
    if (seed.pod().isEmpty()) {
      draft.act(new Action.ReleaseMember(seed.name(), false));
    } else if (!seed.pod().get().terminating()) {
      draft.act(new Action.DeletePod(seed.name(), seed.pod().get().uid(), "Discarded"));
    }
  }

  private static void form(Situation situation, CurrentAction action, MemberView seed, Draft draft) {
    boolean leads = seed.answer().filter(answer -> answer.clusterId() != 0 && answer.leaderId() != 0 && answer.leaderId() == answer.memberId()).isPresent();
    if (leads && seed.listed().isPresent()) {
      draft.latch(seed.answer().get().clusterId());
      draft.memory().revisionFloor = source(situation).isPresent() ? seed.answer().get().revision() : 0;
      draft.phase(seed.name(), Phase.VOTING);
      String from = source(situation).isPresent() ? " from a backup, at revision " + seed.answer().get().revision() : "";
      draft.event(EventReason.CLUSTER_BOOTSTRAPPED, seed.name(), seed.name() + " has formed the cluster" + from);
      draft.succeeded();
      return;
    }
    draft.phase(seed.name(), Phase.STARTING);
    if (seed.pod().isEmpty()) {
      draft.current(Steps.issue(action));
      draft.act(new Action.StartPod(
          seed.name(), List.of(seed.name() + "=" + seed.spec().peerURL()), seed.spec().clusterToken(),
          // Without the restored data it must not begin an empty cluster.
          source(situation).isPresent() ? Action.StartMode.EXISTING : Action.StartMode.NEW, source(situation).flatMap(Places.Found::restore)));
    } else if (situation.outdated(seed) && !seed.podReady() && !seed.pod().get().terminating()) {
      // What keeps it from running may be what the user has corrected since.
      draft.current(Steps.issue(action));
      draft.act(new Action.DeletePod(seed.name(), seed.pod().get().uid(), "TemplateChanged"));
    }
  }
}
