package io.kvorum.server.peer;

import io.grpc.Server;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyServerBuilder;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.FailPoint;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.core.RaftConfig;
import io.kvorum.raft.log.LogOptions;
import io.kvorum.raft.log.SegmentedLog;
import io.kvorum.raft.node.DriverOptions;
import io.kvorum.raft.node.RaftDriver;
import io.kvorum.raft.node.StateMachine;
import io.kvorum.raft.node.TimeSource;
import io.kvorum.server.auth.AuthState;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.apply.Machine;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.Limits;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.lease.Lessor;
import io.kvorum.server.propose.LogProposals;
import io.kvorum.server.propose.PendingCalls;
import io.kvorum.server.propose.SpaceQuota;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** One member with real consensus, log, store and peer transport; without client ports. Its checkpoints are small and frequent, its log is cut early. */
final class RealMember implements AutoCloseable {
  private static final long CHECKPOINT_LOG_BYTES = 64 << 10;

  final long id;
  final Members members;
  final MvccStore store;
  final RaftDriver node;
  final PeerTransport transport;
  final LogProposals proposals;
  final AtomicInteger removals = new AtomicInteger();
  private final EventLoopGroup loop = new NioEventLoopGroup(1);
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().factory());
  private final SnapshotReceiver receiver;
  private final SnapshotSender sender;
  private final Server server;

  RealMember(Genesis genesis, int port, Path directory) throws IOException {
    this.id = genesis.memberId();
    Limits limits = new Limits(1_572_864, 128, 50, 500, 0, 600_000);
    Files.createDirectories(directory);
    store = MvccStore.open(directory.resolve("store"), new MvccOptions(0, false, MvccOptions.DEFAULT.failPoint()));
    SegmentedLog log = SegmentedLog.open(directory.resolve("log"), LogOptions.defaults().withSegmentBytes(32 << 10, 64 << 10).withRetention(1, 10));
    members = new Members(genesis);
    PendingCalls calls = new PendingCalls(id, System.currentTimeMillis(), System::nanoTime, limits);
    Alarms alarms = new Alarms();
    Machine machine = new Machine(new Machine.Parts(store, new Lessor(System::nanoTime), members, alarms, new AuthState()), calls, List.of());
    PeerIdentity self = new PeerIdentity(genesis.clusterId(), id, () -> List.of("http://127.0.0.1:" + port));
    PeerChannels channels = new NettyPeerChannels(loop, NioSocketChannel.class, null);
    transport = new PeerTransport(self, channels, loop, removals::incrementAndGet);
    SnapshotMeta start = new SnapshotMeta(store.checkpoint().index(), store.checkpoint().term(), members.view().membership());
    node =
        RaftDriver.open(
            RaftConfig.defaults(id), DriverOptions.of(100, 1_000), log, start, checkpointingOften(machine), transport, TimeSource.SYSTEM,
            bound -> ThreadLocalRandom.current().nextInt(bound), FailPoint.NONE);
    proposals = new LogProposals(id, node, calls, new SpaceQuota(id, store, store::spaceLow, alarms, limits::quotaBytes), limits, timer).start();
    receiver = new SnapshotReceiver(directory, store, node, FailPoint.NONE);
    PeerService service = new PeerService(self, members, transport, node, receiver, null, null, null, (chain, index) -> {});
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", port))
            .bossEventLoopGroup(loop)
            .workerEventLoopGroup(loop)
            .channelType(NioServerSocketChannel.class)
            .directExecutor()
            .maxInboundMessageSize(PeerService.MESSAGE_BYTES_MAX)
            .addService(service.definition())
            .build()
            .start();
    sender = new SnapshotSender(self, transport, channels, store, node, 0, FailPoint.NONE);
    members.listen(transport);
    transport.start(node, genesis.contacts(), sender);
    node.start();
  }

  private static StateMachine checkpointingOften(Machine machine) {
    return (StateMachine)
        Proxy.newProxyInstance(
            RealMember.class.getClassLoader(),
            new Class<?>[] {StateMachine.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("wantsCheckpoint")) {
                return machine.wantsCheckpoint((long) arguments[0]) || (long) arguments[0] >= CHECKPOINT_LOG_BYTES;
              }
              try {
                return method.invoke(machine, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  CompletableFuture<Object> put(String key, byte[] value) {
    CompletableFuture<Object> done = new CompletableFuture<>();
    proposals.propose(
        LogRequest.newBuilder()
            .setPut(
                PutRequest.newBuilder()
                    .setKey(com.google.protobuf.ByteString.copyFromUtf8(key))
                    .setValue(com.google.protobuf.ByteString.copyFrom(value))),
        completing(done));
    return done;
  }

  CompletableFuture<Object> change(MembershipChange.Kind kind, long member, String... urls) {
    CompletableFuture<Object> done = new CompletableFuture<>();
    Completion<ResponseHeader> completion = completing(done);
    proposals.proposeMembership(kind, member, MemberContext.newBuilder().setId(member).addAllPeerUrls(List.of(urls)), completion);
    return done;
  }

  private static <T> Completion<T> completing(CompletableFuture<Object> done) {
    return new Completion<>() {
      @Override
      public void done(T answer) {
        done.complete(answer);
      }

      @Override
      public void failed(StatusRuntimeException reason) {
        done.completeExceptionally(reason);
      }
    };
  }

  int hash() {
    try (ReadView view = store.view()) {
      return view.hash(0).hash();
    }
  }

  /** The connections break first, as when a process dies. */
  @Override
  public void close() {
    transport.close();
    server.shutdownNow();
    sender.close();
    proposals.close();
    node.close();
    receiver.close();
    try {
      store.close();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
    timer.shutdownNow();
    loop.shutdownGracefully(0, 100, TimeUnit.MILLISECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
  }
}
