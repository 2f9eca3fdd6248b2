package io.kvorum.raft.core;

import io.kvorum.raft.EntryType;
import io.kvorum.raft.HardState;
import io.kvorum.raft.LogView;
import io.kvorum.raft.Membership;
import io.kvorum.raft.SnapshotMeta;
import java.util.function.IntUnaryOperator;
import java.util.function.Supplier;

/** The protocol's operations, each in a class of its own, as they know each other. */
final class Parts {
  final long id;
  final RaftConfig config;
  final Rules rules;
  final Supplier<SnapshotMeta> snapshots;
  final RaftLog log;
  final Outbox outbox;
  final Roles roles;
  final Memberships memberships;
  final Election election;
  final Transfer transfer;
  final Replication replication;
  final ReadRounds reads;
  final Follower follower;
  final Proposing proposing;

  Parts(
      RaftConfig config,
      HardState hardState,
      Membership membership,
      long applied,
      LogView view,
      IntUnaryOperator jitter,
      Supplier<SnapshotMeta> snapshots,
      Rules rules) {
    this.id = config.id();
    this.config = config;
    this.rules = rules;
    this.snapshots = snapshots;
    this.log = new RaftLog(view, hardState.commit(), applied);
    this.outbox = new Outbox(id);
    this.roles = new Roles(hardState, config.electionTicks(), jitter, this::roleChanged);
    this.memberships = new Memberships(membership, log, rules);
    this.election = new Election(this);
    this.transfer = new Transfer(this);
    this.replication = new Replication(this);
    this.reads = new ReadRounds(this, (long) jitter.applyAsInt(Integer.MAX_VALUE) << 32);
    this.follower = new Follower(this);
    this.proposing = new Proposing(this);
  }

  /** An election was won: opens the term by an empty entry. */
  void lead() {
    memberships.leads(log.lastIndex());
    proposing.lead();
    replication.lead(log.lastIndex() + 1);
    roles.becomeLeader(id);
    proposing.append(EntryType.NORMAL, Proposing.NOTHING, 0);
  }

  private void roleChanged() {
    reads.leaderChanged();
    transfer.abort();
    election.roleChanged();
    follower.roleChanged();
    if (!roles.isLeader()) {
      replication.stop();
    }
  }
}
