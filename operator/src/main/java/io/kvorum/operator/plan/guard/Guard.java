package io.kvorum.operator.plan.guard;

import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Situation;
import java.util.List;
import java.util.Optional;

/** One condition that must hold before something disruptive is done. */
public interface Guard {

  /** What is about to be done. */
  enum Kind {
    /** A member joins; all voters stay. */
    ADD,
    /** The target stays a voter and is away for a while. */
    RESTART,
    /** The target is no voter afterwards. */
    REMOVE,
    /** The target stays and leads no more. */
    TRANSFER
  }

  /** @param target the member that it is done to; empty for {@link Kind#ADD} */
  record Disruption(Kind kind, Optional<MemberView> target) {
    /** That the target is this member. */
    boolean of(MemberView member) {
      return target.isPresent() && target.get().name().equals(member.name());
    }

    /** The voters that it is not done to. */
    List<MemberView> remaining(Situation situation) {
      return situation.voters().stream().filter(voter -> !of(voter)).toList();
    }
  }

  /** A guard that does not hold: an expected state, not an error. */
  record Blocked(String guard, String reason) {}

  /** Empty when it holds. */
  Optional<Blocked> check(Situation situation, Disruption disruption);
}
