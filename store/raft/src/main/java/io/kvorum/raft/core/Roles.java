package io.kvorum.raft.core;

import io.kvorum.raft.HardState;
import io.kvorum.raft.Role;
import java.util.function.IntUnaryOperator;

/**
 * Role, term, vote, leader and timers, changed only here. Legal transitions:
 *
 * <pre>
 *   any            -> FOLLOWER       a higher term, a leader of this term, a lost election or quorum
 *   FOLLOWER       -> PRE_CANDIDATE  no leader for an election timeout, or its connection closed; term and vote stay
 *   PRE_CANDIDATE  -> CANDIDATE      a majority would vote; term + 1, vote for itself
 *   FOLLOWER       -> CANDIDATE      TIMEOUT_NOW: the leader asked for it
 *   CANDIDATE      -> PRE_CANDIDATE  no majority within an election timeout
 *   CANDIDATE      -> LEADER         a majority voted
 * </pre>
 */
final class Roles {
  private final int electionTicks;
  private final IntUnaryOperator jitter;
  private final Runnable changed;
  private Role role = Role.FOLLOWER;
  private long term;
  private long vote;
  private long leader;
  private int timeoutTicks;
  int electionElapsed;
  int heartbeatElapsed;

  /**
   * @param changed called after term, role or leader changed: what belonged to the old ones is void
   */
  Roles(HardState hardState, int electionTicks, IntUnaryOperator jitter, Runnable changed) {
    this.term = hardState.term();
    this.vote = hardState.vote();
    this.electionTicks = electionTicks;
    this.jitter = jitter;
    this.changed = changed;
    drawTimeout();
  }

  Role role() {
    return role;
  }

  boolean isLeader() {
    return role == Role.LEADER;
  }

  long term() {
    return term;
  }

  long vote() {
    return vote;
  }

  /** The leader of this term, 0 when none is known. */
  long leader() {
    return leader;
  }

  boolean electionTimedOut() {
    return electionElapsed >= timeoutTicks;
  }

  /** A leader was heard within the shortest election timeout: nobody else needs a vote. */
  boolean hearsLeader() {
    return leader != 0 && electionElapsed < electionTicks;
  }

  void voteFor(long candidate) {
    vote = candidate;
    electionElapsed = 0;
  }

  void becomeFollower(long newTerm, long newLeader) {
    if (newTerm < term) {
      throw new IllegalStateException("term would fall from " + term + " to " + newTerm);
    }
    if (role == Role.FOLLOWER && newTerm == term && newLeader == leader) {
      return;
    }
    boolean sameTerm = newTerm == term;
    if (!sameTerm) {
      term = newTerm;
      vote = 0;
    }
    // Learning who leads must not lengthen the wait for it; losing an election or a leadership starts a new one.
    enter(Role.FOLLOWER, newLeader);
  }

  void becomePreCandidate() {
    require(role != Role.LEADER);
    enter(Role.PRE_CANDIDATE, 0);
  }

  void becomeCandidate(long self) {
    require(role != Role.LEADER);
    term++;
    vote = self;
    enter(Role.CANDIDATE, 0);
  }

  void becomeLeader(long self) {
    require(role == Role.CANDIDATE);
    enter(Role.LEADER, self);
  }

  /** Makes the next tick an election: there is nobody to wait for. */
  void hurry() {
    electionElapsed = timeoutTicks;
  }

  private void enter(Role newRole, long newLeader) {
    role = newRole;
    leader = newLeader;
    electionElapsed = 0;
    heartbeatElapsed = 0;
    drawTimeout();
    changed.run();
  }

  private void drawTimeout() {
    timeoutTicks = electionTicks + jitter.applyAsInt(electionTicks);
  }

  private static void require(boolean legal) {
    if (!legal) {
      throw new IllegalStateException("illegal change of role");
    }
  }
}
