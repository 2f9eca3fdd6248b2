package io.kvorum.server.cluster;

import io.grpc.BindableService;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.AlarmResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Role;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.raft.node.RaftStatus.FollowerProgress;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Limits;
import io.kvorum.server.base.LinearizableReads;
import io.kvorum.server.base.Proposals;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;

/** Services of one member on a real loopback port; its log applies at once. */
public final class ServiceRig implements AutoCloseable, Proposals, LinearizableReads {
  public static final long CLUSTER = 0xc1;

  public final Members members;
  public final Kernel kernel;
  public final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().factory());
  public final List<LogRequest> proposed = new CopyOnWriteArrayList<>();
  public final Map<Long, FollowerProgress> followers = new HashMap<>();
  /** What the next proposals are refused with; then they pass. */
  public final Queue<EtcdError> refusals = new ArrayDeque<>();
  public volatile Role role = Role.LEADER;
  public volatile long leader = 1;
  public volatile EtcdError readFailure;
  public volatile int reads;
  private Server server;
  private ManagedChannel channel;

  public ServiceRig(MvccStore store, List<Member> founders) {
    members = new Members(new Genesis(CLUSTER, 1, founders, founders));
    Supplier<RaftStatus> raft = this::status;
    kernel = new Kernel(CLUSTER, 1, store, raft, this, this, new Limits(1_500_000, 128, 10, 100, 0, 600_000));
  }

  public RaftStatus status() {
    Membership membership = members.view().membership();
    return new RaftStatus(1, role, 3, leader, 100, 99, 98, membership, 0, role == Role.LEADER ? Map.copyOf(followers) : Map.of());
  }

  public ManagedChannel serve(BindableService... services) throws IOException {
    NettyServerBuilder builder = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0)).directExecutor();
    List.of(services).forEach(builder::addService);
    server = builder.build().start();
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).usePlaintext().directExecutor().build();
    return channel;
  }

  @Override
  public <T> void propose(LogRequest.Builder request, Completion<T> completion) {
    proposed.add(request.build());
    if (!refusals.isEmpty()) {
      completion.failed(refusals.poll().exception());
      return;
    }
    if (request.hasDowngradeInfoSet()) {
      members.setDowngrade(request.getDowngradeInfoSet());
    } else if (request.hasClusterVersionSet()) {
      members.setClusterVersion(request.getClusterVersionSet());
    } else if (request.hasFeatureLevelSet()) {
      members.setFeatureLevel(request.getFeatureLevelSet());
    } else if (request.hasClusterMemberAttrSet()) {
      members.setAttributes(request.getClusterMemberAttrSet());
    }
    ResponseHeader header = ResponseHeader.newBuilder().setRevision(17).build();
    Object answer = request.hasAlarm() ? AlarmResponse.newBuilder().setHeader(header).build() : header;
    complete(completion, answer);
  }

  @SuppressWarnings("unchecked")
  private static <T> void complete(Completion<T> completion, Object answer) {
    completion.done((T) answer);
  }

  @Override
  public void proposeMembership(MembershipChange.Kind kind, long memberId, MemberContext.Builder context, Completion<ResponseHeader> completion) {
    EtcdError refusal = refusals.isEmpty() ? members.apply(new MembershipChange(kind, memberId, context.build().toByteArray())) : refusals.poll();
    if (refusal == null) {
      completion.done(ResponseHeader.newBuilder().setRevision(17).build());
    } else {
      completion.failed(refusal.exception());
    }
  }

  @Override
  public void await(Completion<Void> completion) {
    reads++;
    if (readFailure == null) {
      completion.done(null);
    } else {
      completion.failed(readFailure.exception());
    }
  }

  /** A call's refusal. */
  public static StatusRuntimeException refusal(Runnable call) {
    try {
      call.run();
    } catch (StatusRuntimeException e) {
      return e;
    }
    throw new AssertionError("the call was not refused");
  }

  public static TreeSet<Long> set(Long... ids) {
    return new TreeSet<>(List.of(ids));
  }

  @Override
  public void close() {
    if (channel != null) {
      channel.shutdownNow();
      server.shutdownNow();
    }
    timer.shutdownNow();
  }
}
