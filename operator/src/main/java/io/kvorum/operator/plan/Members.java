package io.kvorum.operator.plan;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.api.KvorumMemberStatus.Phase;
import io.kvorum.operator.api.KvorumMemberStatus.Role;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** Brings the members' statuses up to what was observed. Phases are the procedures' business; everything else is decided here. */
final class Members {
  /** Successive observations in which a learner must lag little before it is promoted. */
  static final int CAUGHT_UP = 2;

  private Members() {}

  static void refresh(Situation situation, Draft draft) {
    for (MemberView member : situation.members()) {
      KvorumMemberStatus status = refreshed(situation, member);
      if (member.status().phase() == Phase.VOTING) {
        tell(draft, member, status);
      }
      draft.member(member.name(), status);
    }
  }

  private static void tell(Draft draft, MemberView member, KvorumMemberStatus now) {
    boolean before = member.status().unhealthySince().isEmpty();
    if (before && !now.unhealthySince().isEmpty()) {
      draft.event(EventReason.MEMBER_UNHEALTHY, member.name(), member.name() + " does not serve");
    } else if (member.status().unhealthySince().compareTo(member.status().lastTransition()) > 0 && now.unhealthySince().isEmpty()) {
      draft.event(EventReason.MEMBER_RECOVERED, member.name(), member.name() + " serves again");
    }
  }

  static KvorumMemberStatus phase(KvorumMemberStatus status, Phase phase, Instant at) {
    return new KvorumMemberStatus(
        status.memberID(), status.role(), phase, status.podName(), status.podUID(), status.nodeName(), status.zone(), status.templateHash(), status.version(),
        status.attempts(), Api.time(at), status.lagEntries(), status.unhealthySince(), status.caughtUp(), status.restartReasons(), status.conditions());
  }

  static KvorumMemberStatus attempts(KvorumMemberStatus status, int attempts) {
    return new KvorumMemberStatus(
        status.memberID(), status.role(), status.phase(), status.podName(), status.podUID(), status.nodeName(), status.zone(), status.templateHash(),
        status.version(), attempts, status.lastTransition(), status.lagEntries(), status.unhealthySince(), status.caughtUp(), status.restartReasons(),
        status.conditions());
  }

  private static KvorumMemberStatus refreshed(Situation situation, MemberView member) {
    KvorumMemberStatus old = member.status();
    boolean healthy = situation.healthy(member);
    String since = old.unhealthySince();
    // Those that a recovery has stopped are not ill: when it is given up they get their time to come back.
    if (healthy || situation.recovering()) {
      since = "";
    } else if (since.isEmpty() && member.broken() && !situation.spec().hibernated() && !situation.status().memory().hibernated()) {
      since = Api.time(situation.at());
    }
    int caughtUp = member.listed().isPresent() && member.listed().get().learner() && healthy && situation.caughtUp(member)
        ? Math.min(CAUGHT_UP, old.caughtUp() + 1) : 0;
    return new KvorumMemberStatus(
        member.listed().map(entry -> Api.id(entry.id())).orElse(old.memberID()),
        role(situation, member),
        old.phase(),
        member.pod().map(PodState::member).orElse(""),
        member.pod().map(PodState::uid).orElse(""),
        member.pod().map(PodState::node).orElse(""),
        member.zone(),
        member.pod().map(PodState::templateHash).orElse(""),
        member.answer().map(MemberAnswer::kvorumVersion).orElse(member.pod().map(PodState::version).orElse(old.version())),
        healthy ? 0 : old.attempts(),
        old.lastTransition().isEmpty() ? Api.time(situation.at()) : old.lastTransition(),
        situation.lag(member).map(Members::coarse).orElse(null),
        since,
        caughtUp,
        restartReasons(situation, member),
        old.conditions());
  }

  private static Role role(Situation situation, MemberView member) {
    if (!situation.listed()) {
      return member.status().role();
    }
    if (member.listed().isEmpty()) {
      return null;
    }
    if (member.listed().get().learner()) {
      return Role.LEARNER;
    }
    return situation.leads(member) ? Role.LEADER : Role.VOTER;
  }

  private static List<String> restartReasons(Situation situation, MemberView member) {
    List<String> reasons = new ArrayList<>();
    if (situation.outdated(member)) {
      reasons.add(member.pod().get().version().equals(situation.spec().version()) ? "TemplateChanged" : "VersionChanged");
    }
    if (member.claim().isPresent() && member.claim().get().fileSystemResizePending()) {
      reasons.add("FileSystemResizePending");
    }
    return reasons;
  }

  /** A lag as statuses show it: one significant digit, so that a busy cluster is not written every second. */
  private static long coarse(long entries) {
    if (entries < 100) {
      return 0;
    }
    long unit = 1;
    while (entries / unit >= 10) {
      unit *= 10;
    }
    return entries / unit * unit;
  }
}
