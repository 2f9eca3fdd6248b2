package io.kvorum.raft.core;

import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;

/**
 * The follower's side of the log (paper, 5.3 and 7). Each message from the leader of the term also ends a candidacy and restarts the
 * election timeout.
 *
 * <ol>
 *   <li>APPEND whose previous entry matches: what conflicts is overwritten, the rest appended; the answer waits for the disk. The commit
 *       index follows the leader's, up to what is known to match.
 *   <li>APPEND without entries that only brings a new commit index is not answered, except for the first one after a heartbeat: if an earlier
 *       answer got lost, the leader asks again after a heartbeat.
 *   <li>APPEND below the commit index: answered by the commit index, for everything up to it matches.
 *   <li>APPEND whose previous entry does not match: refused with the highest index at which the logs may match, given the term that the
 *       leader named, and the term there.
 *   <li>SNAPSHOT that is no news, or whose last entry the log already holds: the commit index moves, nothing is installed. Otherwise it
 *       replaces the log; until that is done APPENDs are ignored.
 * </ol>
 */
final class Follower {
  private final Parts parts;
  private long acknowledgeTo;
  /** The leader was told that this much matches, and has sent no heartbeat since. */
  private long answeredTo;

  Follower(Parts parts) {
    this.parts = parts;
  }

  /** Term, role or leader changed. */
  void roleChanged() {
    answeredTo = 0;
  }

  private boolean obeys(Message m) {
    if (parts.roles.isLeader()) {
      throw new IllegalStateException("two leaders in term " + m.term() + ": " + Long.toUnsignedString(m.from(), 16));
    }
    parts.roles.becomeFollower(m.term(), m.from());
    parts.roles.electionElapsed = 0;
    return !parts.log.isInstalling();
  }

  void onAppend(Message m) {
    if (!obeys(m)) {
      return;
    }
    RaftLog log = parts.log;
    if (m.index() < log.commit()) {
      promise(parts.outbox.matched(m.from(), parts.roles.term(), log.commit(), log.commit()));
      return;
    }
    if (!log.matches(m.index(), m.logTerm())) {
      long hint = log.lastAtOrBelowTerm(Math.min(m.index(), log.lastIndex()), m.logTerm());
      long hintTerm = hint >= log.firstIndex() - 1 ? log.term(hint) : 0;
      parts.outbox.send(parts.outbox.rejected(m.from(), parts.roles.term(), m.index(), hint, hintTerm, log.commit()));
      return;
    }
    long changed = log.merge(m.entries());
    if (changed > 0) {
      parts.memberships.merged(changed, m.entries());
    }
    long matched = m.index() + m.entries().size();
    log.commitTo(Math.min(m.commit(), matched));
    if (m.entries().isEmpty() && matched <= answeredTo) {
      return;
    }
    answeredTo = matched;
    promise(parts.outbox.matched(m.from(), parts.roles.term(), matched, log.commit()));
  }

  void onHeartbeat(Message m) {
    answeredTo = 0;
    if (obeys(m)) {
      // The leader never names more than it knows to match here.
      parts.log.commitTo(m.commit());
    }
    parts.outbox.send(parts.outbox.plain(Message.Type.HEARTBEAT_RESPONSE, m.from(), parts.roles.term(), parts.log.commit(), m.context()));
  }

  /** Returns whether the snapshot is to be installed. */
  boolean onSnapshot(Message m) {
    if (!obeys(m)) {
      return false;
    }
    RaftLog log = parts.log;
    SnapshotMeta meta = m.snapshot();
    if (meta.index() > log.commit() && !log.matches(meta.index(), meta.term())) {
      log.install(meta);
      parts.memberships.installed(meta.membership());
      acknowledgeTo = m.from();
      return true;
    }
    log.commitTo(meta.index());
    promise(parts.outbox.matched(m.from(), parts.roles.term(), log.commit(), log.commit()));
    return false;
  }

  /** The snapshot is durable. */
  void acknowledge() {
    if (parts.roles.leader() == acknowledgeTo && !parts.roles.isLeader()) {
      promise(parts.outbox.matched(acknowledgeTo, parts.roles.term(), parts.log.lastIndex(), parts.log.commit()));
    }
  }

  private void promise(Message m) {
    if (parts.rules.promisesWaitForDisk()) {
      parts.outbox.promise(m);
    } else {
      parts.outbox.send(m);
    }
  }
}
