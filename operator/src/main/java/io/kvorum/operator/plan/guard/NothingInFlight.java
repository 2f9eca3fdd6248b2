package io.kvorum.operator.plan.guard;

import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Situation;
import java.util.Optional;

/** G5: no other membership change or restart is in flight, and every entry of the member list has its member object. */
public final class NothingInFlight implements Guard {
  @Override
  public Optional<Blocked> check(Situation situation, Disruption disruption) {
    if (!situation.strangers().isEmpty()) {
      return Optional.of(new Blocked("G5", "the member list has an entry without a member object: " + situation.strangers().getFirst().peerUrls()));
    }
    String own = disruption.target().map(MemberView::name).or(() -> situation.currentAction().map(CurrentAction::member)).orElse("");
    for (MemberView member : situation.members()) {
      boolean other = !member.name().equals(own);
      if (other && member.listed().isPresent() && member.listed().get().learner()) {
        return Optional.of(new Blocked("G5", member.name() + " is still a learner"));
      }
      // An object that the cluster has not accepted yet is a wish, not a change: it may wait for what is about to be done.
      boolean wish = member.id() == 0 && member.pod().isEmpty();
      if (other && member.listed().isEmpty() && !wish) {
        return Optional.of(new Blocked("G5", member.name() + " is not in the member list"));
      }
    }
    return Optional.empty();
  }
}
