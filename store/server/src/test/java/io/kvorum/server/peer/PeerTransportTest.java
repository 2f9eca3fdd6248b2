package io.kvorum.server.peer;

import static io.kvorum.server.peer.TestPeer.CLUSTER;
import static io.kvorum.server.peer.TestPeer.append;
import static io.kvorum.server.peer.TestPeer.await;
import static io.kvorum.server.peer.TestPeer.member;
import static io.kvorum.server.peer.TestPeer.message;
import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.protocol.internal.MembersResponse;
import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.MembershipChange.Kind;
import io.kvorum.raft.Message;
import io.kvorum.raft.Role;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.FreePorts;
import io.kvorum.server.cluster.Member;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.nio.NioEventLoopGroup;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Over real loopback sockets. */
class PeerTransportTest {
  private final List<TestPeer> peers = new ArrayList<>();
  private List<Member> both;
  private int port1;
  private int port2;

  @BeforeEach
  void ports() throws IOException {
    port1 = FreePorts.one();
    port2 = FreePorts.one();
    both = List.of(member(1, port1), member(2, port2));
  }

  @AfterEach
  void close() {
    peers.forEach(TestPeer::close);
  }

  private TestPeer peer(long cluster, long id, int port, List<Member> members) throws IOException {
    TestPeer peer = new TestPeer(cluster, id, port, members);
    peers.add(peer);
    return peer;
  }

  private static MembershipChange change(Kind kind, long id, String... urls) {
    return new MembershipChange(kind, id, MemberContext.newBuilder().setId(id).addAllPeerUrls(List.of(urls)).build().toByteArray());
  }

  @Test
  void messagesArriveInOrder() throws Exception {
    TestPeer one = peer(CLUSTER, 1, port1, both);
    TestPeer two = peer(CLUSTER, 2, port2, both);
    await("connected", () -> one.isConnected(two) && two.isConnected(one));

    int total = 20_000;
    for (int i = 0; i < total; i += 10) {
      int from = i;
      await("the queue is taken", () -> from - two.node.received.size() < 2_000);
      one.transport.send(IntStream.range(i, i + 10).mapToObj(k -> k % 7 == 0 ? append(1, 2, k, new byte[k % 500]) : message(1, 2, k)).toList());
    }

    await("all arrived", () -> two.node.received.size() == total);
    assertThat(two.node.received.stream().mapToLong(Message::index).toArray()).isEqualTo(IntStream.range(0, total).asLongStream().toArray());
    assertThat(two.node.received.get(497).entries().getFirst().data()).hasSize(497);
    assertThat(one.node.unreachable).isEmpty();
  }

  @Test
  void aVoteRequestWaitsForTheConnectionButEntriesDoNot() throws Exception {
    TestPeer one = peer(CLUSTER, 1, port1, both);
    await("dialling", () -> one.transport.endpoint(2) != null);

    one.transport.send(List.of(message(1, 2, 77), append(1, 2, 5, new byte[10])));

    await("the dropped entries are reported", () -> one.node.unreachable.contains(2L));
    TestPeer two = peer(CLUSTER, 2, port2, both);
    await("arrived", () -> !two.node.received.isEmpty());
    assertThat(two.node.received).extracting(Message::index).containsExactly(77L);
  }

  @Test
  void aLostPeerIsReportedAndFoundAgain() throws Exception {
    TestPeer one = peer(CLUSTER, 1, port1, both);
    TestPeer two = peer(CLUSTER, 2, port2, both);
    await("connected", () -> one.isConnected(two) && two.isConnected(one));

    two.stopServing();
    await("noticed on the way out", () -> !one.isConnected(two));
    await("reported", () -> one.node.peersClosed.contains(2L));
    await("noticed on the way in", () -> two.node.peersClosed.contains(1L));

    // Long enough that the back-off has reached its bound.
    TimeUnit.SECONDS.sleep(1);
    two.serve();
    await("connected again", () -> one.isConnected(two));
    one.transport.send(List.of(message(1, 2, 3)));
    await("arrived", () -> two.node.received.stream().anyMatch(m -> m.index() == 3));
  }

  @Test
  void aProposalForALeaderThatDiedGoesToTheNextOne() throws Exception {
    TestPeer one = peer(CLUSTER, 1, port1, both);
    TestPeer two = peer(CLUSTER, 2, port2, both);
    await("connected", () -> one.isConnected(two));
    one.node.status = new RaftStatus(1, Role.FOLLOWER, 1, 2, 0, 0, 0, Membership.EMPTY, 0, Map.of());
    two.stopServing();
    await("broken", () -> !one.isConnected(two));
    Entry entry = new Entry(0, 0, EntryType.NORMAL, 0, new byte[] {42});

    one.transport.send(List.of(new Message(Message.Type.PROPOSE, 1, 2, 0, 0, 0, 0, false, 0, 0, List.of(entry), null)));
    TimeUnit.MILLISECONDS.sleep(500);
    assertThat(one.node.proposed).as("it waits while the leader may come back").isEmpty();
    one.node.status = new RaftStatus(1, Role.FOLLOWER, 2, 3, 0, 0, 0, Membership.EMPTY, 0, Map.of());

    await("proposed again", () -> one.node.proposed.size() == 1);
    assertThat(one.node.proposed.getFirst()).containsExactly(42);
    assertThat(two.node.received).isEmpty();
  }

  @Test
  void anotherClusterIsRefused() throws Exception {
    TestPeer one = peer(CLUSTER, 1, port1, both);
    TestPeer two = peer(CLUSTER + 1, 2, port2, both);

    one.transport.send(List.of(message(1, 2, 1)));
    two.transport.send(List.of(message(2, 1, 1)));

    TimeUnit.MILLISECONDS.sleep(500);
    assertThat(one.isConnected(two)).isFalse();
    assertThat(two.isConnected(one)).isFalse();
    assertThat(one.node.received).isEmpty();
    assertThat(two.node.received).isEmpty();
    assertThat(one.removals).hasValue(0);
  }

  @Test
  void anotherMembersAddressIsRefused() throws Exception {
    TestPeer one = peer(CLUSTER, 1, port1, List.of(member(1, port1), member(3, port2)));
    TestPeer two = peer(CLUSTER, 2, port2, both);

    one.transport.send(List.of(message(1, 3, 1)));

    TimeUnit.MILLISECONDS.sleep(500);
    assertThat(one.transport.connectedMillis(3)).isEqualTo(-1);
    assertThat(two.node.received).isEmpty();
  }

  @Test
  void aRemovedMemberIsToldOnItsOpenStream() throws Exception {
    TestPeer one = peer(CLUSTER, 1, port1, both);
    TestPeer two = peer(CLUSTER, 2, port2, both);
    await("connected", () -> one.isConnected(two) && two.isConnected(one));

    one.members.apply(change(Kind.REMOVE, 2));

    await("told", () -> two.removals.get() == 1);
    await("hung up", () -> one.transport.endpoint(2) == null);
  }

  @Test
  void aMemberThatWasRemovedWhileItWasDownIsToldWhenItCalls() throws Exception {
    TestPeer one = peer(CLUSTER, 1, port1, both);
    one.members.apply(change(Kind.REMOVE, 2));

    TestPeer two = peer(CLUSTER, 2, port2, both);

    await("told", () -> two.removals.get() == 1);
    assertThat(one.removals).hasValue(0);
  }

  @Test
  void aMemberThatAppliesItsOwnRemovalIsToldOnce() throws Exception {
    TestPeer one = peer(CLUSTER, 1, port1, both);
    TestPeer two = peer(CLUSTER, 2, port2, both);
    await("connected", () -> one.isConnected(two) && two.isConnected(one));

    two.members.apply(change(Kind.REMOVE, 2));
    one.members.apply(change(Kind.REMOVE, 2));

    await("told", () -> two.removals.get() == 1);
    TimeUnit.MILLISECONDS.sleep(1_500);
    assertThat(two.removals).hasValue(1);
  }

  @Test
  void aStrangerIsAnswered() throws Exception {
    TestPeer one = peer(CLUSTER, 1, port1, List.of(member(1, port1)));
    TestPeer two = peer(CLUSTER, 2, port2, both);
    await("the stranger is connected", () -> two.isConnected(one));

    two.transport.send(List.of(message(2, 1, 1)));
    await("arrived", () -> !one.node.received.isEmpty());

    await("dialled back", () -> one.isConnected(two));
    one.transport.send(List.of(message(1, 2, 2)));
    await("answered", () -> !two.node.received.isEmpty());
  }

  @Test
  void addedMembersAreDialledAndMovedOnesFollowed() throws Exception {
    TestPeer one = peer(CLUSTER, 1, port1, List.of(member(1, port1)));
    one.members.apply(change(Kind.ADD_VOTER, 2, "http://127.0.0.1:" + FreePorts.one()));
    TimeUnit.MILLISECONDS.sleep(300);
    TestPeer two = peer(CLUSTER, 2, port2, List.of(member(2, port2)));
    assertThat(one.isConnected(two)).isFalse();

    one.members.apply(change(Kind.UPDATE, 2, "http://127.0.0.1:" + port2));

    await("connected", () -> one.isConnected(two));
  }

  @Test
  void ofSeveralUrlsAReachableOneIsFound() throws Exception {
    List<Member> members = List.of(member(1, port1), new Member(2, "m2", List.of("http://127.0.0.1:1", "http://127.0.0.1:" + port2), List.of(), false, 1));
    TestPeer one = peer(CLUSTER, 1, port1, members);
    TestPeer two = peer(CLUSTER, 2, port2, both);

    await("connected", () -> one.isConnected(two));
  }

  @Test
  void whatAPeerDoesNotTakeIsBounded() throws Exception {
    // Accepts connections and never speaks.
    try (ServerSocket silent = new ServerSocket(port2)) {
      TestPeer one = peer(CLUSTER, 1, port1, both);
      for (int i = 0; i < 3 * Outbox.MESSAGES_MAX; i++) {
        one.transport.send(List.of(message(1, 2, i), append(1, 2, i, new byte[10_000])));
      }
      await("what was dropped is reported", () -> !one.node.unreachable.isEmpty());
      assertThat(one.node.unreachable).containsOnly(2L);
      assertThat(one.isConnected(peer(CLUSTER, 3, FreePorts.one(), both))).isFalse();
    }
  }

  @Test
  void tellsAnyoneWhoTheMembersAre() throws Exception {
    peer(CLUSTER, 1, port1, both);
    EventLoopGroup loop = new NioEventLoopGroup(1);
    try {
      GrpcPeerDirectory directory = new GrpcPeerDirectory(new NettyPeerChannels(loop, NioSocketChannel.class, null));

      Optional<MembersResponse> answer = directory.ask(List.of("http://127.0.0.1:" + port2, "http://127.0.0.1:" + port1), 30_000);

      assertThat(answer).isPresent();
      assertThat(answer.get().getClusterId()).isEqualTo(CLUSTER);
      assertThat(answer.get().getMembersList()).extracting(m -> m.getId()).containsExactly(1L, 2L);
      assertThat(answer.get().getFoundersList()).extracting(MemberContext::getName).containsExactly("m1", "m2");
      CompletableFuture<Optional<MembersResponse>> refused = CompletableFuture.supplyAsync(() -> directory.ask(List.of("http://127.0.0.1:" + port2), 600_000));
      assertThat(refused.get(30, TimeUnit.SECONDS)).as("a refused connection is no reason to wait").isEmpty();
    } finally {
      loop.shutdownGracefully(0, 100, TimeUnit.MILLISECONDS);
    }
  }
}
