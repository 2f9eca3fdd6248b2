package io.kvorum.server.cluster;

import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.internal.ClusterVersionSetRequest;
import io.kvorum.protocol.internal.FeatureLevelSetRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.Proposals;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * What the leader agrees on for the cluster: the cluster version, once, and the feature level, when all members have announced a higher one. Asked
 * regularly ({@link #run}, every second is enough) and after each leader change; at most one proposal is under way.
 */
public final class LeaderDuties implements Runnable {
  private final Members members;
  private final Supplier<RaftStatus> raft;
  private final Proposals proposals;
  private final String clusterVersion;
  private final AtomicBoolean underWay = new AtomicBoolean();

  /**
   * @param clusterVersion what a new cluster gets, {@code 3.6.0}
   */
  public LeaderDuties(Members members, Supplier<RaftStatus> raft, Proposals proposals, String clusterVersion) {
    this.members = members;
    this.raft = raft;
    this.proposals = proposals;
    this.clusterVersion = clusterVersion;
  }

  @Override
  public void run() {
    LogRequest.Builder request = raft.get().isLeader() ? next(members.view()) : null;
    if (request == null || !underWay.compareAndSet(false, true)) {
      return;
    }
    proposals.propose(
        request,
        new Completion<Object>() {
          @Override
          public void done(Object nothing) {
            underWay.set(false);
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            // The next round tries again.
            underWay.set(false);
          }
        });
  }

  private LogRequest.Builder next(ClusterView view) {
    if (view.clusterVersion().isEmpty()) {
      return LogRequest.newBuilder().setClusterVersionSet(ClusterVersionSetRequest.newBuilder().setVer(clusterVersion));
    }
    // A member that has not announced itself counts as 0: nothing is known of its software yet.
    int lowest = view.members().values().stream().mapToInt(Member::featureLevel).min().orElse(0);
    if (lowest > view.featureLevel()) {
      return LogRequest.newBuilder().setFeatureLevelSet(FeatureLevelSetRequest.newBuilder().setLevel(lowest));
    }
    return null;
  }
}
