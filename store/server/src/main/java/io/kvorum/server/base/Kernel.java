package io.kvorum.server.base;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.raft.node.RaftStatus;
import java.util.function.Supplier;

/**
 * What every service of a running member needs.
 *
 * @param clusterId unsigned
 * @param memberId unsigned
 * @param store the key-value history
 * @param raft newest consensus state
 * @param proposals the way into the log
 * @param reads linearizable reads
 * @param currentLimits configured bounds, as they are now
 */
public record Kernel(
    long clusterId,
    long memberId,
    MvccStore store,
    Supplier<RaftStatus> raft,
    Proposals proposals,
    LinearizableReads reads,
    Supplier<Limits> currentLimits) {
  /** With bounds that never change. */
  public Kernel(
      long clusterId, long memberId, MvccStore store, Supplier<RaftStatus> raft, Proposals proposals, LinearizableReads reads, Limits limits) {
    this(clusterId, memberId, store, raft, proposals, reads, () -> limits);
  }

  /** Configured bounds; quota and operations of a transaction may be others at the next call. */
  public Limits limits() {
    return currentLimits.get();
  }

  /** The same member with another way into the log. */
  public Kernel with(Proposals other) {
    return new Kernel(clusterId, memberId, store, raft, other, reads, currentLimits);
  }

  /** A header with this member's ids and term. */
  public ResponseHeader header(long revision) {
    return ResponseHeader.newBuilder()
        .setClusterId(clusterId)
        .setMemberId(memberId)
        .setRevision(revision)
        .setRaftTerm(raft.get().term())
        .build();
  }

  /** A header with the newest published revision. */
  public ResponseHeader header() {
    return header(store.revision());
  }
}
