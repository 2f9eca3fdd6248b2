package io.kvorum.operator.plan.rung;

import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.procedure.AddMember;
import io.kvorum.operator.plan.procedure.RemoveMember;
import java.util.Optional;

/**
 * Rung 10: a member that does not vote and that no procedure has in hand. Wanted, it is brought to the end of joining (and promoted); else it
 * goes. One that
 * somebody else removed from the member list goes as well.
 */
public final class Unfinished implements Rung {
  /** Reason: it was in the member list and is no more. */
  public static final String REMOVED = "RemovedFromMemberList";

  @Override
  public boolean decide(Situation situation, Draft draft) {
    Optional<MemberView> found = situation.members().stream().filter(member -> !member.voter(true)).findFirst();
    if (found.isEmpty()) {
      return false;
    }
    MemberView member = found.get();
    boolean wanted = situation.voterCount() < situation.wantedVoters() && !member.deletedByUser() && !member.volumeLost();
    boolean removed = member.listed().isEmpty() && member.id() != 0;
    if (wanted && !removed) {
      AddMember.resume(situation, draft, member.name(), "unfinished");
    } else {
      RemoveMember.begin(situation, draft, member, "", removed ? REMOVED : RemoveMember.ABANDONED, false);
    }
    return draft.current().isPresent() || draft.acts();
  }
}
