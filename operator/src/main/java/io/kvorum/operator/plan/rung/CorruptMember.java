package io.kvorum.operator.plan.rung;

import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.guard.Guard;
import io.kvorum.operator.plan.guard.Guard.Blocked;
import io.kvorum.operator.plan.guard.Guards;
import io.kvorum.operator.plan.procedure.RemoveMember;
import java.util.Optional;

/** Rung 7: a member's CORRUPT alarm is raised; it is replaced. */
public final class CorruptMember implements Rung {
  /** Reason of the removal. */
  public static final String REASON = "Corrupt";

  @Override
  public boolean decide(Situation situation, Draft draft) {
    Optional<MemberView> corrupt = situation.members().stream().filter(MemberView::corrupt).findFirst();
    if (corrupt.isEmpty()) {
      return false;
    }
    Optional<Blocked> blocked = Guards.state(situation, Guard.Kind.REMOVE, corrupt.get());
    if (blocked.isPresent()) {
      draft.blocked(blocked.get(), "replacing the corrupt " + corrupt.get().name());
      return false;
    }
    draft.event(EventReason.CORRUPT_MEMBER, corrupt.get().name(), corrupt.get().name() + " has other data than the rest and is replaced");
    RemoveMember.begin(situation, draft, corrupt.get(), "", REASON, false);
    return true;
  }
}
