package io.kvorum.operator.plan;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.CurrentAction.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** New versions of a {@link CurrentAction}. */
public final class Steps {
  private Steps() {}

  /** A procedure that begins now. */
  public static CurrentAction begin(Type type, String member, String step, Instant at, Duration bound, String operation, String reason) {
    return new CurrentAction(
        type, member, step, Api.time(at), Api.time(at.plus(bound)), 0, Api.time(at), "", 0L, List.of(), "", "", List.of(), "", operation, reason);
  }

  /** The next step begins now. */
  public static CurrentAction to(CurrentAction from, String step, Instant at) {
    return new CurrentAction(
        from.type(), from.member(), step, from.startedAt(), from.deadline(), 0, Api.time(at), from.target(), from.term(), from.tried(), from.memberID(),
        from.podUID(), from.done(), "", from.operation(), from.reason());
  }

  /** The step's action is issued once more; nothing is known of its outcome. */
  public static CurrentAction issue(CurrentAction from) {
    return new CurrentAction(
        from.type(), from.member(), from.step(), from.startedAt(), from.deadline(), from.attempt() + 1, from.stepSince(), from.target(), from.term(),
        from.tried(), from.memberID(), from.podUID(), from.done(), "", from.operation(), from.reason());
  }

  /** Leadership is asked to go to this member, in this term. */
  public static CurrentAction transfer(CurrentAction from, String target, long term, Instant at) {
    List<String> tried = new ArrayList<>(from.tried());
    tried.add(target);
    return new CurrentAction(
        from.type(), from.member(), from.step(), from.startedAt(), from.deadline(), from.attempt(), Api.time(at), target, term, tried, from.memberID(),
        from.podUID(), from.done(), "", from.operation(), from.reason());
  }

  /** Leadership has moved. */
  public static CurrentAction confirmed(CurrentAction from) {
    return new CurrentAction(
        from.type(), from.member(), from.step(), from.startedAt(), from.deadline(), from.attempt(), from.stepSince(), "", 0L, from.tried(), from.memberID(),
        from.podUID(), from.done(), from.outcome(), from.operation(), from.reason());
  }

  /** This pod is to go. */
  public static CurrentAction pod(CurrentAction from, String uid) {
    return new CurrentAction(
        from.type(), from.member(), from.step(), from.startedAt(), from.deadline(), from.attempt(), from.stepSince(), from.target(), from.term(),
        from.tried(), from.memberID(), uid, from.done(), from.outcome(), from.operation(), from.reason());
  }

  /** This is the member's id in the cluster. */
  public static CurrentAction id(CurrentAction from, long id) {
    return new CurrentAction(
        from.type(), from.member(), from.step(), from.startedAt(), from.deadline(), from.attempt(), from.stepSince(), from.target(), from.term(),
        from.tried(), Api.id(id), from.podUID(), from.done(), from.outcome(), from.operation(), from.reason());
  }

  /** The procedure goes on with another member, and has finished with those so far. */
  public static CurrentAction next(CurrentAction from, String member, List<String> done, String step, Instant at) {
    return new CurrentAction(
        from.type(), member, step, from.startedAt(), from.deadline(), 0, Api.time(at), "", 0L, List.of(), "", "", done, "", from.operation(),
        from.reason());
  }

  /** The procedure goes on about this member; what it has remembered stays. */
  public static CurrentAction about(CurrentAction from, String member, String step, Instant at) {
    return new CurrentAction(
        from.type(), member, step, from.startedAt(), from.deadline(), 0, Api.time(at), from.target(), from.term(), from.tried(), "", "", from.done(), "",
        from.operation(), from.reason());
  }

  /** Remembers a member and a number for later steps. */
  public static CurrentAction remember(CurrentAction from, String target, long number) {
    return new CurrentAction(
        from.type(), from.member(), from.step(), from.startedAt(), from.deadline(), from.attempt(), from.stepSince(), target, number, from.tried(),
        from.memberID(), from.podUID(), from.done(), from.outcome(), from.operation(), from.reason());
  }

  /** What the last action came to. */
  public static CurrentAction outcome(CurrentAction from, String outcome) {
    return new CurrentAction(
        from.type(), from.member(), from.step(), from.startedAt(), from.deadline(), from.attempt(), from.stepSince(), from.target(), from.term(),
        from.tried(), from.memberID(), from.podUID(), from.done(), outcome, from.operation(), from.reason());
  }
}
