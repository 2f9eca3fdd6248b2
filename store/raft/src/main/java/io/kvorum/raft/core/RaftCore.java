package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.HardState;
import io.kvorum.raft.LogView;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Message;
import io.kvorum.raft.Role;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.node.RaftStatus;
import java.util.List;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;

/**
 * The Raft protocol as a deterministic state machine: no threads, clock, disk, network or randomness inside. Called by one thread. See
 * {@link Ready} for the order in which its results are to be carried out.
 *
 * <p>A message is handled thus:
 *
 * <ol>
 *   <li>Forwarded requests and their answers (PROPOSE, READ_INDEX, READ_INDEX_RESPONSE, TRANSFER_LEADER) carry term 0 and are valid in any term.
 *   <li>Higher term: a request for a (pre-)vote is not even answered while a leader is heard, unless that leader asked for the election;
 *       pre-votes never change the term; any other message makes this member a follower of that term.
 *   <li>Lower term: a leader of old is told the present term, so that it steps down; so is a pre-candidate. The rest is ignored.
 *   <li>Same term: as the classes {@link Election}, {@link Follower}, {@link Replication}, {@link ReadRounds}, {@link Transfer} and {@link
 *       Memberships} say.
 * </ol>
 */
public final class RaftCore {
  /** Looked into by tests that check what must always hold. */
  final Parts parts;

  private HardState stored;
  private boolean commitDue;
  private SnapshotMeta install;
  private RaftStatus status;

  /**
   * @param hardState as stored; EMPTY for a new member
   * @param membership as of {@code applied}; EMPTY for a member that joins and learns it from the log. A single voter forces that
   *     configuration on a member
   * @param applied last index whose effect the state machine holds; within the log
   * @param log stored entries; all of them are durable
   * @param jitter {@code n -> [0, n)}, the only source of chance
   * @param snapshots newest snapshot that can be sent, {@link SnapshotMeta#NONE} when there is none; covers at least what was cut from the log
   */
  public RaftCore(
      RaftConfig config,
      HardState hardState,
      Membership membership,
      long applied,
      LogView log,
      IntUnaryOperator jitter,
      Supplier<SnapshotMeta> snapshots) {
    this(config, hardState, membership, applied, log, jitter, snapshots, Rules.RAFT);
  }

  RaftCore(
      RaftConfig config,
      HardState hardState,
      Membership membership,
      long applied,
      LogView log,
      IntUnaryOperator jitter,
      Supplier<SnapshotMeta> snapshots,
      Rules rules) {
    this.stored = hardState;
    this.parts = new Parts(config, hardState, membership, applied, log, jitter, snapshots, rules);
    if (parts.memberships.isSoleVoter(parts.id)) {
      parts.roles.hurry();
    }
  }

  /** One unit of logical time. */
  public void tick() {
    parts.roles.electionElapsed++;
    commitDue |= stored.commit() != parts.log.commit();
    if (!parts.roles.isLeader()) {
      parts.election.tick();
      return;
    }
    parts.transfer.tick();
    if (parts.roles.electionElapsed >= parts.config.electionTicks()) {
      parts.roles.electionElapsed = 0;
      if (!parts.replication.checkQuorum()) {
        parts.roles.becomeFollower(parts.roles.term(), 0);
        return;
      }
    }
    if (++parts.roles.heartbeatElapsed >= parts.config.heartbeatTicks()) {
      parts.roles.heartbeatElapsed = 0;
      parts.replication.heartbeat(parts.reads.newestRound());
    }
  }

  /** Takes in a message from another member. Messages to somebody else are ignored. */
  public void step(Message m) {
    if (m.to() != parts.id || m.from() == parts.id) {
      return;
    }
    long term = parts.roles.term();
    if (m.term() > term) {
      if (!adoptTerm(m)) {
        return;
      }
    } else if (m.term() < term && m.term() != 0) {
      answerOldTerm(m);
      return;
    }
    dispatch(m);
  }

  /** Returns whether the message of a higher term is to be handled. */
  private boolean adoptTerm(Message m) {
    boolean asksVote = m.type() == Message.Type.VOTE || m.type() == Message.Type.PRE_VOTE;
    if (asksVote && m.context() != 1 && parts.roles.hearsLeader()) {
      return false;
    }
    boolean keepsTerm = m.type() == Message.Type.PRE_VOTE || (m.type() == Message.Type.PRE_VOTE_RESPONSE && !m.reject());
    if (!keepsTerm) {
      parts.roles.becomeFollower(m.term(), isFromLeader(m.type()) ? m.from() : 0);
    }
    return true;
  }

  private void answerOldTerm(Message m) {
    long term = parts.roles.term();
    if (isFromLeader(m.type())) {
      parts.outbox.send(parts.outbox.rejected(m.from(), term, m.index(), 0, 0, parts.log.commit()));
    } else if (m.type() == Message.Type.PRE_VOTE) {
      parts.election.refuseOld(m);
    }
  }

  private static boolean isFromLeader(Message.Type type) {
    return type == Message.Type.APPEND || type == Message.Type.HEARTBEAT || type == Message.Type.SNAPSHOT;
  }

  private void dispatch(Message m) {
    switch (m.type()) {
      case PRE_VOTE -> parts.election.onPreVote(m);
      case VOTE -> parts.election.onVote(m);
      case PRE_VOTE_RESPONSE -> parts.election.onPreVoteResponse(m);
      case VOTE_RESPONSE -> parts.election.onVoteResponse(m);
      case TIMEOUT_NOW -> parts.election.onTimeoutNow(m);
      case APPEND -> parts.follower.onAppend(m);
      case HEARTBEAT -> parts.follower.onHeartbeat(m);
      case SNAPSHOT -> {
        if (parts.follower.onSnapshot(m)) {
          install = m.snapshot();
        }
      }
      case APPEND_RESPONSE -> {
        if (parts.roles.isLeader()) {
          parts.replication.onAppendResponse(m);
        }
      }
      case HEARTBEAT_RESPONSE -> {
        if (parts.roles.isLeader()) {
          parts.replication.onHeartbeatResponse(m);
        }
      }
      case PROPOSE -> parts.proposing.onPropose(m);
      case READ_INDEX -> parts.reads.onReadIndex(m);
      case READ_INDEX_RESPONSE -> parts.reads.onReadIndexResponse(m);
      case TRANSFER_LEADER -> parts.transfer.request(m.context());
    }
  }

  /**
   * Leader: appends entries for the requests and starts replicating them. Follower with a known leader: forwards. Returns false when
   * neither is possible now (no leader, transfer under way, too much in flight).
   */
  public boolean propose(List<byte[]> requests, long nowMillis) {
    return parts.proposing.propose(requests, nowMillis);
  }

  /** Whether a PROPOSE message would be taken into the log now; it is dropped otherwise. */
  public boolean takesProposals() {
    return parts.proposing.takes();
  }

  /** Proposes one change; see {@link Memberships} for when it is refused. A follower forwards it, and does not learn of a refusal. */
  public MembershipProposal proposeMembership(MembershipChange change, long nowMillis) {
    return parts.proposing.proposeMembership(change.encode(), nowMillis);
  }

  /** ACCEPTED, or why not. */
  public enum MembershipProposal {
    ACCEPTED,
    FORWARDED,
    NO_LEADER,
    CHANGE_IN_PROGRESS,
    NO_COMMIT_IN_TERM,
    TRANSFER_IN_PROGRESS
  }

  /**
   * Asks for a linearizable read. Answered once in {@link Ready#reads()}, unless a message gets lost: then ask again, with any context.
   *
   * @param context comes back with the answer; any value
   */
  public void readIndex(long context) {
    parts.reads.ask(context);
  }

  /**
   * Moves leadership, or asks the leader to.
   *
   * @param target a voter, or 0 for the voter that is furthest ahead
   */
  public void transferLeadership(long target) {
    parts.transfer.request(target);
  }

  /** Campaigns at once by a pre-vote (its leader's connection closed); nothing when {@code leader} does not lead. */
  public void leaderLost(long leader) {
    if (leader == 0 || leader == parts.id || leader != parts.roles.leader()) {
      return;
    }
    if (parts.election.mayCampaign()) {
      parts.election.preCampaign();
    } else {
      parts.roles.becomeFollower(parts.roles.term(), 0);
    }
  }

  /** A message to the member was dropped. */
  public void reportUnreachable(long member) {
    if (parts.roles.isLeader()) {
      parts.replication.unreachable(member);
    }
  }

  /** The transfer of a snapshot to the member ended. */
  public void reportSnapshot(long member, boolean installed) {
    if (parts.roles.isLeader()) {
      parts.replication.snapshotEnded(member, installed);
    }
  }

  public boolean hasReady() {
    flush();
    return install != null
        || parts.log.hasAppend()
        || !parts.outbox.isEmpty()
        || parts.reads.hasStates()
        || parts.log.hasCommitted(parts.config.maxCommittedBytes())
        || termOrVoteChanged()
        || commitDue;
  }

  /** Takes what is to be done; each result is handed out once. */
  public Ready ready() {
    flush();
    List<Entry> append = parts.log.takeAppend();
    List<Entry> committed = parts.log.takeCommitted(parts.config.maxCommittedBytes());
    parts.proposing.committed(committed);
    // A restart must not take a member for a voter that left: its vote may be needed and never come.
    commitDue |= parts.memberships.handsOutChange(committed);
    HardState hardState = null;
    // A crash may keep the hard state and lose the entries: the mark must not cover what they overwrite.
    long commit = append.isEmpty() ? parts.log.commit() : Math.min(parts.log.commit(), append.getFirst().index() - 1);
    boolean commitMoved = stored.commit() != commit;
    if (termOrVoteChanged() || (commitMoved && (commitDue || !append.isEmpty() || install != null))) {
      hardState = new HardState(parts.roles.term(), parts.roles.vote(), commit);
      stored = hardState;
    }
    commitDue = false;
    SnapshotMeta installNow = install;
    install = null;
    return new Ready(
        hardState,
        append,
        installNow,
        parts.outbox.takeNow(),
        parts.outbox.takePromises(),
        committed,
        parts.reads.takeStates());
  }

  private void flush() {
    parts.reads.flush();
    parts.replication.flush();
  }

  private boolean termOrVoteChanged() {
    return stored.term() != parts.roles.term() || stored.vote() != parts.roles.vote();
  }

  /**
   * Everything up to this entry, the last of a Ready's {@code append}, is durable. May cover several Readys at once; call it with the last
   * entry of the newest of them.
   */
  public void persisted(long index, long term) {
    if (parts.log.persisted(index, term) && parts.roles.isLeader()) {
      parts.replication.maybeCommit();
    }
  }

  /** The snapshot of the last Ready is installed: the log is empty and begins after it. */
  public void installed(SnapshotMeta snapshot) {
    if (parts.log.installed(snapshot)) {
      parts.follower.acknowledge();
    }
  }

  /** The state machine holds everything up to {@code index}. */
  public void applied(long index) {
    parts.log.applied(index);
    parts.memberships.applied(index);
    parts.election.applied();
  }

  /** Adopts an accepted change; called for each MEMBERSHIP entry while applying (accepted = false: it had no effect). */
  public void applyMembership(MembershipChange change, boolean accepted) {
    if (!accepted) {
      return;
    }
    parts.memberships.adopt(change);
    if (!parts.roles.isLeader()) {
      return;
    }
    parts.replication.adopt(parts.memberships.current());
    parts.transfer.membershipChanged();
    parts.replication.maybeCommit();
    parts.reads.confirmed();
    parts.transfer.leave();
  }

  /** The present state; the same object as long as nothing changed. */
  public RaftStatus status() {
    RaftLog log = parts.log;
    var followers = parts.replication.pictures();
    if (status == null
        || status.role() != parts.roles.role()
        || status.term() != parts.roles.term()
        || status.leader() != parts.roles.leader()
        || status.lastIndex() != log.lastIndex()
        || status.commit() != log.commit()
        || status.applied() != log.applied()
        || status.membership() != parts.memberships.current()
        || status.transferee() != parts.transfer.transferee()
        || status.followers() != followers) {
      Role role = parts.roles.role();
      long leader = parts.roles.leader();
      Membership membership = parts.memberships.current();
      long transferee = parts.transfer.transferee();
      status =
          new RaftStatus(
              parts.id, role, parts.roles.term(), leader, log.lastIndex(), log.commit(), log.applied(), membership, transferee, followers);
    }
    return status;
  }
}
