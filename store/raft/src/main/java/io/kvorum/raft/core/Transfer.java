package io.kvorum.raft.core;

import io.kvorum.raft.Message;
import io.kvorum.raft.Role;

/**
 * Moves leadership (thesis, 3.10).
 *
 * <ol>
 *   <li>The leader takes no proposals in. Ignored: a target that is itself, a learner or unknown.
 *   <li>It brings the target's log up to its own.
 *   <li>It tells the target to campaign at once (TIMEOUT_NOW); that election is not held up by pre-vote or by members that hear the leader.
 *   <li>After an election timeout without success it goes on leading and takes proposals again.
 * </ol>
 *
 * A leader whose own removal was applied does the same of itself, so that those who stay learn that the removal is committed. A follower
 * passes the request to its leader.
 */
final class Transfer {
  private final Parts parts;
  private long transferee;
  private int elapsed;
  private boolean told;

  Transfer(Parts parts) {
    this.parts = parts;
  }

  /** To whom leadership is being moved, 0 for nobody. */
  long transferee() {
    return transferee;
  }

  boolean isUnderWay() {
    return transferee != 0 || isLeaving();
  }

  void abort() {
    transferee = 0;
  }

  /**
   * @param target a voter, or 0 for the voter that is furthest ahead
   */
  void request(long target) {
    if (parts.roles.role() == Role.FOLLOWER && parts.roles.leader() != 0) {
      long leader = parts.roles.leader();
      parts.outbox.send(parts.outbox.plain(Message.Type.TRANSFER_LEADER, leader, 0, 0, target));
    } else if (parts.roles.isLeader()) {
      begin(target == 0 ? parts.replication.furthestVoter() : target);
    }
  }

  private void begin(long target) {
    if (target == parts.id || target == transferee || !parts.memberships.current().isVoter(target)) {
      return;
    }
    transferee = target;
    elapsed = 0;
    told = false;
    parts.replication.poke(target);
    advance();
  }

  /** The target may have caught up. */
  void advance() {
    if (transferee != 0 && !told && parts.replication.isCaughtUp(transferee)) {
      told = true;
      // What is committed must arrive first: the target does not campaign while it has a change to apply.
      parts.replication.appended();
      parts.replication.flush();
      parts.outbox.send(parts.outbox.plain(Message.Type.TIMEOUT_NOW, transferee, parts.roles.term(), 0, 0));
    }
  }

  void tick() {
    if (transferee != 0 && ++elapsed >= parts.config.electionTicks()) {
      abort();
    }
    leave();
  }

  /** A leader that removed itself moves leadership on; it leads without a vote until somebody else does, or a majority is out of reach. */
  void leave() {
    if (transferee == 0 && isLeaving()) {
      begin(parts.replication.furthestVoter());
    }
  }

  private boolean isLeaving() {
    return parts.roles.isLeader() && !parts.memberships.current().isVoter(parts.id);
  }

  void membershipChanged() {
    if (transferee != 0 && !parts.memberships.current().isVoter(transferee)) {
      abort();
    }
  }
}
