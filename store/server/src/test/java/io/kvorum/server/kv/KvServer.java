package io.kvorum.server.kv;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.raft.Membership;
import io.kvorum.raft.Role;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.auth.Access;
import io.kvorum.server.auth.AuthState;
import io.kvorum.server.apply.DirectLog;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Limits;
import io.kvorum.server.base.LinearizableReads;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** One member without consensus on a loopback port: the real service, state machine and gRPC, and a log that applies at once. */
final class KvServer implements AutoCloseable {
  static final long CLUSTER = 77;
  static final long MEMBER = 5;
  static final Limits LIMITS = new Limits(1_572_864, 128, 20, 100, 0, 1_000);

  final DirectLog log;
  final MvccStore store;
  final AtomicLong indexReads = new AtomicLong();
  volatile RaftStatus status = status(Role.LEADER, MEMBER, List.of(MEMBER), List.of());
  final LeaderlessStreams streams = new LeaderlessStreams(() -> status);
  final RevisionWaits waits;
  final ServerServiceDefinition service;
  final ManagedChannel channel;
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
  private final Server server;

  KvServer(MvccStore store, ServerServiceDefinition... others) throws IOException {
    this.store = store;
    this.waits = new RevisionWaits(timer, timer, 300);
    this.log = new DirectLog(store, waits);
    LinearizableReads reads =
        new LinearizableReads() {
          @Override
          public void await(Completion<Void> completion) {
            indexReads.incrementAndGet();
            completion.done(null);
          }
        };
    Kernel kernel = new Kernel(CLUSTER, MEMBER, store, () -> status, log, reads, LIMITS);
    CallRules rules = new CallRules(() -> status, streams);
    this.service = new KvService(kernel, Access.of(new AuthState()), waits, timer).bind();
    NettyServerBuilder builder =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .addService(ServerInterceptors.intercept(service, rules));
    for (ServerServiceDefinition other : others) {
      builder.addService(ServerInterceptors.intercept(other, rules));
    }
    this.server = builder.build().start();
    this.channel =
        NettyChannelBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort()))
            .usePlaintext()
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .build();
  }

  KVGrpc.KVBlockingStub kv() {
    return KVGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  static RaftStatus status(Role role, long leader, List<Long> voters, List<Long> learners) {
    Membership membership = new Membership(new TreeSet<>(voters), new TreeSet<>(learners));
    return new RaftStatus(MEMBER, role, 3, leader, 10, 10, 10, membership, 0, Map.of());
  }

  @Override
  public void close() {
    channel.shutdownNow();
    server.shutdownNow();
    timer.shutdownNow();
  }
}
