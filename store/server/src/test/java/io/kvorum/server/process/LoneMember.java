package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.v1.AdminGrpc;
import io.kvorum.protocol.v1.DescribeRequest;
import io.kvorum.server.base.FeatureLevel;
import io.kvorum.server.base.FreePorts;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A member in this process, ready when it is there: a cluster of its own, or one of a pair. */
final class LoneMember implements AutoCloseable {
  final String url;
  final ManagedChannel channel;
  private final Server server;

  LoneMember(Path directory, String... more) throws Exception {
    this(directory, "m0", Map.of("m0", freeUrl()), more);
    awaitReady();
  }

  /** Two members of one cluster, ready when both answer; the options are the first one's. */
  static List<LoneMember> pair(Path directory, String... more) throws Exception {
    Map<String, String> peers = Map.of("m0", freeUrl(), "m1", freeUrl());
    // Long enough that a busy machine does not change the leader in the middle of a test.
    String[] patient = Stream.concat(Stream.of("--election-timeout=5000"), Stream.of(more)).toArray(String[]::new);
    LoneMember first = new LoneMember(directory.resolve("m0"), "m0", peers, patient);
    LoneMember second = new LoneMember(directory.resolve("m1"), "m1", peers, "--election-timeout=5000");
    first.awaitReady();
    second.awaitReady();
    return List.of(first, second);
  }

  /** Three members of one cluster, ready when all answer. */
  static List<LoneMember> three(Path directory, String... more) throws Exception {
    Map<String, String> peers = Map.of("m0", freeUrl(), "m1", freeUrl(), "m2", freeUrl());
    List<LoneMember> members = new ArrayList<>();
    for (String name : List.of("m0", "m1", "m2")) {
      members.add(new LoneMember(directory.resolve(name), name, peers, more));
    }
    for (LoneMember member : members) {
      member.awaitReady();
    }
    return members;
  }

  static String freeUrl() {
    return "http://127.0.0.1:" + FreePorts.one();
  }

  private LoneMember(Path directory, String name, Map<String, String> peers, String... more) throws Exception {
    url = freeUrl();
    String peerUrl = peers.get(name);
    String cluster = peers.entrySet().stream().map(peer -> peer.getKey() + "=" + peer.getValue()).collect(Collectors.joining(","));
    String[] flags = Stream.concat(Stream.of("--election-timeout=500", "--heartbeat-interval=50"), Stream.of(more)).toArray(String[]::new);
    server = Server.start(MemberFlags.config(name, directory, url, peerUrl, cluster, flags));
    channel = NettyChannelBuilder.forAddress("127.0.0.1", URI.create(url).getPort()).usePlaintext().build();
  }

  private void awaitReady() {
    try {
      KVGrpc.newBlockingStub(channel)
          .withWaitForReady()
          .withDeadlineAfter(30, TimeUnit.SECONDS)
          .range(RangeRequest.newBuilder().setKey(com.google.protobuf.ByteString.copyFromUtf8("ready")).build());
    } catch (StatusRuntimeException refused) {
      // With users the refusal shows that it answers.
      assertThat(refused.getStatus().getDescription()).isEqualTo("etcdserver: user name is empty");
    }
  }

  /** Until the cluster, which begins with the first, has come to the highest feature level that this software has. */
  void awaitFeatureLevel() throws InterruptedException {
    AdminGrpc.AdminBlockingStub admin = AdminGrpc.newBlockingStub(channel);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (admin.describe(DescribeRequest.getDefaultInstance()).getFeatureLevel() < FeatureLevel.SUPPORTED) {
      assertThat(System.nanoTime()).as("the feature level rises in time").isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(20);
    }
  }

  @Override
  public void close() throws Exception {
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    server.close();
  }
}
