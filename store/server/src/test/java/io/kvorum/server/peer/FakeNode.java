package io.kvorum.server.peer;

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
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/** Remembers what the transport tells consensus. */
public class FakeNode implements RaftNode {
  public final List<Message> received = new CopyOnWriteArrayList<>();
  public final List<Long> unreachable = new CopyOnWriteArrayList<>();
  public final List<Long> peersClosed = new CopyOnWriteArrayList<>();
  public final List<Boolean> snapshotReports = new CopyOnWriteArrayList<>();
  public final List<Message> snapshotMessages = new CopyOnWriteArrayList<>();
  public final List<Path> snapshotDirectories = new CopyOnWriteArrayList<>();
  public final List<byte[]> proposed = new CopyOnWriteArrayList<>();
  public final List<Long> transfers = new CopyOnWriteArrayList<>();
  public volatile CompletableFuture<Boolean> installation = CompletableFuture.completedFuture(true);
  public volatile CompletableFuture<Boolean> transfer = CompletableFuture.completedFuture(true);
  public volatile RaftStatus status = new RaftStatus(1, Role.FOLLOWER, 1, 0, 0, 0, 0, Membership.EMPTY, 0, Map.of());

  @Override
  public void start() {}

  @Override
  public ProposeResult propose(byte[] request) {
    proposed.add(request);
    return ProposeResult.ACCEPTED;
  }

  @Override
  public ProposeResult proposeMembership(MembershipChange change) {
    return ProposeResult.REFUSED;
  }

  @Override
  public void readIndex(ReadCallback callback) {
    callback.ready();
  }

  @Override
  public CompletableFuture<Boolean> transferLeadership(long target) {
    transfers.add(target);
    return transfer;
  }

  @Override
  public <T> CompletableFuture<T> atPosition(Function<SnapshotMeta, T> task) {
    return CompletableFuture.completedFuture(task.apply(SnapshotMeta.NONE));
  }

  @Override
  public boolean receive(Message message) {
    return received.add(message);
  }

  @Override
  public CompletableFuture<Boolean> receiveSnapshot(Message message, Path directory) {
    snapshotMessages.add(message);
    snapshotDirectories.add(directory);
    return installation;
  }

  @Override
  public void reportUnreachable(long member) {
    unreachable.add(member);
  }

  @Override
  public void reportSnapshot(long member, boolean installed) {
    snapshotReports.add(installed);
  }

  @Override
  public void peerClosed(long member) {
    peersClosed.add(member);
  }

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
