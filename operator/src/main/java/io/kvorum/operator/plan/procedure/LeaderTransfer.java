package io.kvorum.operator.plan.procedure;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.LeaderChoice;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.Steps;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Moves leadership away from a member, as part of a procedure.
 *
 * <ol>
 *   <li>Choose a target; write it and the present term into the current action.
 *   <li>Ask the leader. Asked again only when nobody knows whether a crash cut the request off: while leadership is on its way nobody can write, so one that
 *       the leader has answered, well or not, is not begun anew with the same target.
 *   <li>It is done when a majority names another leader in a greater term.
 *   <li>Without that in two election timeouts (at least three seconds, since passes are a second apart) the next candidate, three attempts at most.
 * </ol>
 */
final class LeaderTransfer {
  private static final int ATTEMPTS = 3;
  private static final Duration SHORTEST = Duration.ofSeconds(3);

  private LeaderTransfer() {}

  enum Result {
    DONE,
    PENDING,
    FAILED
  }

  /** @param wish name of the member that alone may lead next, empty for any */
  static Result advance(Situation situation, CurrentAction action, String from, String wish, Draft draft) {
    Optional<MemberView> leading = situation.leading();
    if (leading.isEmpty()) {
      return Result.PENDING;
    }
    boolean moved = !leading.get().name().equals(from) && (action.target().isEmpty() || situation.leader().orElseThrow().term() > action.term());
    if (moved && (wish.isEmpty() || leading.get().name().equals(wish))) {
      if (!action.target().isEmpty()) {
        draft.event(EventReason.LEADER_TRANSFERRED, leading.get().name(), leading.get().name() + " leads, " + from + " no more");
      }
      return Result.DONE;
    }
    if (!action.target().isEmpty() && situation.since(action.stepSince()).compareTo(patience(situation)) < 0) {
      situation.member(action.target()).filter(target -> action.outcome().isEmpty() && situation.leader().orElseThrow().term() == action.term())
          .ifPresent(target -> request(situation, Steps.issue(action), leading.get(), target, draft));
      draft.current(draft.acts() ? Steps.issue(action) : action);
      return Result.PENDING;
    }
    return next(situation, action, leading.get(), wish, draft);
  }

  /** The action without its transfer, once another member is seen to lead. */
  static CurrentAction confirm(Situation situation, CurrentAction action, Draft draft) {
    Optional<MemberView> leading = situation.leading();
    if (action.target().isEmpty() || leading.isEmpty() || leading.get().name().equals(action.member())) {
      return action;
    }
    draft.event(EventReason.LEADER_TRANSFERRED, leading.get().name(), leading.get().name() + " leads, " + action.member() + " no more");
    return Steps.confirmed(action);
  }

  private static Result next(Situation situation, CurrentAction action, MemberView leading, String wish, Draft draft) {
    Optional<MemberView> target = wish.isEmpty()
        ? choose(situation, action, leading)
        : situation.member(wish).filter(member -> member.voter(situation.listed()) && LeaderChoice.suits(situation, member));
    if (target.isEmpty() || action.tried().size() >= ATTEMPTS) {
      draft.event(EventReason.LEADER_TRANSFER_FAILED, leading.name(),
          action.tried().isEmpty() ? "no healthy voter could take over from " + leading.name() : leading.name() + " still leads; tried " + action.tried());
      return Result.FAILED;
    }
    CurrentAction asked = Steps.issue(Steps.transfer(action, target.get().name(), situation.leader().orElseThrow().term(), situation.at()));
    draft.event(EventReason.LEADER_TRANSFER_REQUESTED, leading.name(), "leadership goes from " + leading.name() + " to " + target.get().name());
    request(situation, asked, leading, target.get(), draft);
    draft.current(asked);
    return Result.PENDING;
  }

  /** Another one than was tried last, if there is any. */
  private static Optional<MemberView> choose(Situation situation, CurrentAction action, MemberView leading) {
    List<String> except = new ArrayList<>(List.of(leading.name()));
    if (!action.tried().isEmpty()) {
      except.add(action.tried().getLast());
    }
    return LeaderChoice.choose(situation, except).or(() -> LeaderChoice.choose(situation, List.of(leading.name())));
  }

  private static void request(Situation situation, CurrentAction asked, MemberView leading, MemberView target, Draft draft) {
    draft.act(new Action.TransferLeader(leading.name(), leading.id(), target.name(), target.id(), asked.term()));
  }

  private static Duration patience(Situation situation) {
    Duration two = situation.electionTimeout().multipliedBy(2);
    return two.compareTo(SHORTEST) < 0 ? SHORTEST : two;
  }
}
