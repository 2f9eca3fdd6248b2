package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.MembershipChange.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** Members come, are promoted and go. */
final class SimChurn {
  private static final int LIVE_MAX = 7;

  /** No proposal is on its way for longer. */
  private static final long FORWARDED_FOR = 1_500_000;

  private final Simulation simulation;
  private final SplittableRandom random;
  private final List<SimMember> members;

  SimChurn(Simulation simulation, SplittableRandom random, List<SimMember> members) {
    this.simulation = simulation;
    this.random = random;
    this.members = members;
  }

  /** Proposes one change at random. */
  void change(SimMember proposer) {
    retire();
    if (proposer == null || !proposer.isUp() || proposer.pausedUntil > simulation.now()) {
      return;
    }
    Membership membership = proposer.core.status().membership();
    long live = members.stream().filter(m -> !m.retired).count();
    switch (random.nextInt(4)) {
      case 0, 1 -> {
        if (live < LIVE_MAX) {
          SimMember joining = simulation.createNext();
          propose(proposer, random.nextBoolean() ? Kind.ADD_LEARNER : Kind.ADD_VOTER, joining.id);
        }
      }
      case 2 -> membership.learners().stream().findAny().ifPresent(id -> propose(proposer, Kind.PROMOTE, id));
      case 3 -> {
        List<Long> all = new ArrayList<>(membership.voters());
        all.addAll(membership.learners());
        if (membership.voters().size() > 1 && !all.isEmpty()) {
          propose(proposer, Kind.REMOVE, all.get(random.nextInt(all.size())));
        }
      }
      default -> throw new IllegalStateException();
    }
  }

  private void propose(SimMember proposer, Kind kind, long id) {
    MembershipChange change = new MembershipChange(kind, id, new byte[0]);
    simulation.at(proposer, proposer.incarnation, () -> proposer.core.proposeMembership(change, 0));
  }

  /** Who applied most, if it runs. */
  private SimMember newest() {
    SimMember newest = null;
    for (SimMember m : members) {
      if (m.isUp() && m.applied >= simulation.checker.changedAt() && (newest == null || m.applied > newest.applied)) {
        newest = m;
      }
    }
    return newest;
  }

  /** Switches off for good who was removed (or never got in), once nobody who stays could ask for its vote after a restart. */
  private void retire() {
    SimMember newest = newest();
    if (newest == null) {
      return;
    }
    Membership membership = newest.core.status().membership();
    long index = simulation.checker.changedAt();
    boolean allKnow =
        members.stream()
            .filter(m -> membership.contains(m.id))
            .allMatch(m -> m.checkpoint.index() >= index || (m.hardState.commit() >= index && m.durable.lastIndex() >= index));
    if (!allKnow) {
      return;
    }
    for (SimMember m : members) {
      if (!m.retired && !membership.contains(m.id) && simulation.now() - m.createdAt > FORWARDED_FOR && !mayStillJoin(m)) {
        simulation.crash(m);
        m.retired = true;
      }
    }
  }

  /** Whether somebody's log holds a change that concerns the member. */
  private boolean mayStillJoin(SimMember joining) {
    for (SimMember m : members) {
      MemoryLog log = m.isUp() ? m.view : m.durable;
      for (long i = Math.max(log.firstIndex(), m.checkpoint.index() + 1); i <= log.lastIndex(); i++) {
        Entry entry = log.get(i);
        if (entry.type() == EntryType.MEMBERSHIP && MembershipChange.decode(entry.data()).memberId() == joining.id) {
          return true;
        }
      }
    }
    return false;
  }
}
