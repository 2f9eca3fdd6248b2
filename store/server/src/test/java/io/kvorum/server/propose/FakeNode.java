package io.kvorum.server.propose;

import io.kvorum.raft.Entry;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Message;
import io.kvorum.raft.Role;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.raft.node.ReadCallback;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** Takes proposals and does nothing with them. */
final class FakeNode implements RaftNode {
  final List<byte[]> proposed = new ArrayList<>();
  final List<MembershipChange> changes = new ArrayList<>();
  final List<ReadCallback> reads = new ArrayList<>();
  volatile ProposeResult result = ProposeResult.ACCEPTED;
  volatile RaftStatus status = status(Role.LEADER, 1, 0, 0, Map.of());

  static RaftStatus status(Role role, long leader, long commit, long applied, Map<Long, RaftStatus.FollowerProgress> followers) {
    Membership membership = new Membership(new TreeSet<>(List.of(1L, 2L, 3L)), new TreeSet<>());
    return new RaftStatus(1, role, 2, leader, commit, commit, applied, membership, 0, followers);
  }

  @Override
  public void start() {}

  @Override
  public synchronized ProposeResult propose(byte[] request) {
    if (result == ProposeResult.ACCEPTED) {
      proposed.add(request);
    }
    return result;
  }

  @Override
  public synchronized ProposeResult proposeMembership(MembershipChange change) {
    if (result == ProposeResult.ACCEPTED) {
      changes.add(change);
    }
    return result;
  }

  synchronized int changeCount() {
    return changes.size();
  }

  @Override
  public void readIndex(ReadCallback callback) {
    reads.add(callback);
  }

  @Override
  public CompletableFuture<Boolean> transferLeadership(long target) {
    throw new UnsupportedOperationException();
  }

  @Override
  public <T> CompletableFuture<T> atPosition(Function<SnapshotMeta, T> task) {
    return CompletableFuture.completedFuture(task.apply(SnapshotMeta.NONE));
  }

  @Override
  public boolean receive(Message message) {
    throw new UnsupportedOperationException();
  }

  @Override
  public CompletableFuture<Boolean> receiveSnapshot(Message message, Path directory) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void reportUnreachable(long member) {}

  @Override
  public void reportSnapshot(long member, boolean installed) {}

  @Override
  public void peerClosed(long member) {}

  @Override
  public RaftStatus status() {
    return status;
  }

  @Override
  public CompletableFuture<Throwable> failure() {
    return new CompletableFuture<>();
  }

  @Override
  public List<Entry> committed(long from, long maxBytes) {
    return List.of();
  }

  @Override
  public void close() {}
}
