package io.kvorum.operator.plan.procedure;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.api.KvorumMemberSpec.JoinMode;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import io.kvorum.operator.plan.guard.Guard.Blocked;
import io.kvorum.operator.plan.guard.Guards;
import java.time.Duration;
import java.util.Optional;

/**
 * Grows the cluster by one.
 *
 * <ol>
 *   <li>Create: the member object with an ordinal that was never used, and its claim.
 *   <li>Register: add it as a learner by its peer URL. The URL in the member list means that this was done already.
 *   <li>Start: only now its pod, with the initial peers of the list that contains it.
 *   <li>CatchUp: it answers with its id as a learner of this cluster, and lags little in two successive observations.
 *   <li>Promote: asked again until the member list shows a voter. "Not in sync" is a wait.
 * </ol>
 *
 * A learner that takes too long, lost its volume, is not wanted any more or was deleted by the user is removed with its claim.
 */
public final class AddMember implements Procedure {
  static final String CREATE = "Create";
  static final String REGISTER = "Register";
  static final String START = "Start";
  static final String CATCH_UP = "CatchUp";
  static final String PROMOTE = "Promote";
  private static final int CAUGHT_UP = 2;

  /** Begins with a member that does not exist yet. */
  public static void begin(Situation situation, Draft draft, String why) {
    String name = situation.cluster().getMetadata().getName() + "-" + draft.ordinal();
    resume(situation, draft, name, why);
  }

  /** Begins with, or goes on with, the member of this name. */
  public static void resume(Situation situation, Draft draft, String name, String why) {
    Duration bound = Duration.ofSeconds(situation.spec().update().progressDeadlineSeconds());
    CurrentAction action = Steps.begin(Type.ADD_MEMBER, name, CREATE, situation.at(), bound, "", why);
    draft.current(action);
    new AddMember().advance(situation, action, draft);
  }

  @Override
  public void advance(Situation situation, CurrentAction action, Draft draft) {
    draft.progress(Reason.SCALING_UP, "adding " + action.member());
    Optional<MemberView> found = situation.member(action.member());
    if (found.isEmpty()) {
      missing(situation, action, draft);
      return;
    }
    MemberView member = found.get();
    if (member.voter(situation.listed())) {
      finish(member, draft);
      return;
    }
    Optional<String> givenUp = reasonToGiveUp(situation, action, member);
    if (givenUp.isPresent()) {
      draft.event(EventReason.MEMBER_ADD_ABANDONED, member.name(), member.name() + ": " + givenUp.get());
      draft.phase(member.name(), Phase.FAILED);
      RemoveMember.begin(situation, draft, member, action.operation(), RemoveMember.ABANDONED, false);
      return;
    }
    if (member.listed().isEmpty()) {
      register(situation, action, member, draft);
    } else if (member.pod().isEmpty()) {
      start(situation, action, member, draft);
    } else {
      promote(situation, action, member, draft);
    }
  }

  private void missing(Situation situation, CurrentAction action, Draft draft) {
    if (!action.step().equals(CREATE)) {
      // Somebody tore the object's finalizer off; what is left in the member list is a stranger, and the identity rung says so.
      draft.failed();
      return;
    }
    if (situation.voterCount() >= situation.wantedVoters()) {
      draft.ended();
      return;
    }
    int ordinal = Integer.parseInt(action.member().substring(action.member().lastIndexOf('-') + 1));
    draft.current(Steps.issue(action));
    draft.act(new Action.CreateMember(action.member(), ordinal, JoinMode.JOIN, situation.clusterToken()));
    draft.event(EventReason.MEMBER_CREATED, action.member(), "member " + action.member() + " was made");
  }

  private static void finish(MemberView member, Draft draft) {
    draft.phase(member.name(), Phase.VOTING);
    draft.event(EventReason.MEMBER_PROMOTED, member.name(), member.name() + " votes");
    draft.succeeded();
  }

  private static Optional<String> reasonToGiveUp(Situation situation, CurrentAction action, MemberView member) {
    if (member.deletedByUser()) {
      return Optional.of("deleted before it voted");
    }
    if (situation.voterCount() >= situation.wantedVoters()) {
      return Optional.of("not wanted any more");
    }
    if (member.volumeLost() && member.listed().isPresent()) {
      return Optional.of("its volume is gone");
    }
    boolean late = Api.time(action.deadline()).map(end -> situation.at().isAfter(end)).orElse(false);
    return late ? Optional.of("did not catch up before the deadline") : Optional.empty();
  }

  private void register(Situation situation, CurrentAction action, MemberView member, Draft draft) {
    Optional<Blocked> blocked = Guards.add(situation);
    if (blocked.isPresent()) {
      // What blocks may need healing first; the member object waits for it.
      draft.blocked(blocked.get(), "adding " + member.name());
      draft.ended();
      return;
    }
    draft.current(Steps.issue(at(action, REGISTER, situation)));
    draft.act(new Action.AddLearner(member.name(), member.spec().peerURL()));
  }

  private void start(Situation situation, CurrentAction action, MemberView member, Draft draft) {
    if (!action.step().equals(START)) {
      draft.event(EventReason.MEMBER_ADDED, member.name(), member.name() + " is a learner");
    }
    draft.phase(member.name(), Phase.REGISTERED);
    draft.current(Steps.issue(Steps.id(at(action, START, situation), member.id())));
    draft.act(new Action.StartPod(member.name(), situation.initialPeers(), member.spec().clusterToken(), Action.StartMode.EXISTING));
  }

  private void promote(Situation situation, CurrentAction action, MemberView member, Draft draft) {
    boolean joined = member.answer().filter(answer -> answer.memberId() == member.id() && answer.learner()).isPresent();
    draft.phase(member.name(), joined ? Phase.CATCHING_UP : Phase.STARTING);
    PodState pod = member.pod().orElseThrow();
    if (!joined && situation.outdated(member) && !pod.ready() && !pod.terminating()) {
      // What keeps it from running may be what the user has corrected since.
      draft.current(Steps.issue(at(action, START, situation)));
      draft.act(new Action.DeletePod(member.name(), pod.uid(), "TemplateChanged"));
      return;
    }
    if (!joined || draft.member(member.name()).caughtUp() < CAUGHT_UP) {
      draft.current(at(action, CATCH_UP, situation));
      return;
    }
    draft.current(Steps.issue(at(action, PROMOTE, situation)));
    draft.act(new Action.Promote(member.name(), member.id()));
  }

  private static CurrentAction at(CurrentAction action, String step, Situation situation) {
    return action.step().equals(step) ? action : Steps.to(action, step, situation.at());
  }
}
