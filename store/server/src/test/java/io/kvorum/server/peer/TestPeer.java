package io.kvorum.server.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.FailPoint;
import io.kvorum.raft.Message;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.Member;
import io.kvorum.server.cluster.Members;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/** One member's peer side on a real loopback socket, around a fake consensus. */
final class TestPeer implements AutoCloseable {
  static final long CLUSTER = 0xc1;

  final long id;
  final int port;
  final FakeNode node = new FakeNode();
  final Members members;
  final PeerTransport transport;
  final AtomicInteger removals = new AtomicInteger();
  private final EventLoopGroup loop = new NioEventLoopGroup(1);
  private final PeerIdentity identity;
  private final SnapshotReceiver receiver;
  private final SnapshotSender sender;
  private Server server;

  TestPeer(long cluster, long id, int port, List<Member> members, MvccStore store, Path directory, FailPoint failPoint, long bytesPerSecond)
      throws IOException {
    this.id = id;
    this.port = port;
    this.members = new Members(new Genesis(cluster, id, members, members));
    this.identity = new PeerIdentity(cluster, id, () -> List.of("http://127.0.0.1:" + port));
    PeerChannels channels = new NettyPeerChannels(loop, NioSocketChannel.class, null);
    transport = new PeerTransport(identity, channels, loop, removals::incrementAndGet);
    receiver = directory == null ? null : new SnapshotReceiver(directory, store, node, failPoint);
    serve();
    sender = new SnapshotSender(identity, transport, channels, store, node, bytesPerSecond, failPoint);
    transport.start(node, List.of(), sender);
    this.members.listen(transport);
  }

  TestPeer(long cluster, long id, int port, List<Member> members) throws IOException {
    this(cluster, id, port, members, null, null, FailPoint.NONE, 0);
  }

  static Member member(long id, int port) {
    return new Member(id, "m" + id, List.of("http://127.0.0.1:" + port), List.of(), false, 1);
  }

  void serve() throws IOException {
    PeerService service = new PeerService(identity, members, transport, node, receiver, null, null, null, (chain, index) -> {});
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", port))
            .bossEventLoopGroup(loop)
            .workerEventLoopGroup(loop)
            .channelType(NioServerSocketChannel.class)
            .directExecutor()
            .addService(service.definition())
            .build()
            .start();
  }

  void stopServing() throws InterruptedException {
    server.shutdownNow();
    assertThat(server.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
  }

  static Message message(long from, long to, long index) {
    return new Message(Message.Type.HEARTBEAT, from, to, 1, 0, index, 0, false, 0, 0, List.of(), null);
  }

  static Message append(long from, long to, long index, byte[] data) {
    return new Message(
        Message.Type.APPEND, from, to, 1, 1, index, 0, false, 0, 0, List.of(new Entry(1, index + 1, EntryType.NORMAL, 9, data)), null);
  }

  boolean isConnected(TestPeer other) {
    return transport.connectedMillis(other.id) >= 0;
  }

  static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(2);
    }
  }

  @Override
  public void close() {
    transport.close();
    sender.close();
    server.shutdownNow();
    if (receiver != null) {
      receiver.close();
    }
    loop.shutdownGracefully(0, 100, TimeUnit.MILLISECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
  }
}
