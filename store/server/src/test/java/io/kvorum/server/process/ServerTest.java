package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.protocol.etcdserverpb.ClusterGrpc;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.Member;
import io.kvorum.protocol.etcdserverpb.MemberAddRequest;
import io.kvorum.protocol.etcdserverpb.MemberListRequest;
import io.kvorum.protocol.etcdserverpb.MemberListResponse;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.kvorum.protocol.etcdserverpb.StatusResponse;
import io.kvorum.protocol.health.HealthCheckRequest;
import io.kvorum.protocol.health.HealthCheckResponse.ServingStatus;
import io.kvorum.protocol.health.HealthGrpc;
import io.kvorum.server.base.FreePorts;
import io.kvorum.server.config.ServerConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole members in this process, over loopback. */
class ServerTest {
  private static final long DEADLINE_SECONDS = 30;

  @TempDir Path temp;

  private final List<Integer> ports = FreePorts.some(8);
  private final List<Server> running = new ArrayList<>();
  private final List<ManagedChannel> channels = new ArrayList<>();

  @AfterEach
  void stopAll() throws InterruptedException {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    running.forEach(Server::close);
  }

  private String clientUrl(int member) {
    return "http://127.0.0.1:" + ports.get(member);
  }

  private String peerUrl(int member) {
    return "http://127.0.0.1:" + ports.get(4 + member);
  }

  private ServerConfig config(int member, int members, String... more) {
    List<String> cluster = new ArrayList<>();
    for (int i = 0; i < members; i++) {
      cluster.add("m" + i + "=" + peerUrl(i));
    }
    return MemberFlags.config("m" + member, temp.resolve("m" + member), clientUrl(member), peerUrl(member), String.join(",", cluster), more);
  }

  private Server start(int member, int members, String... more) throws Exception {
    Server server = Server.start(config(member, members, more));
    running.add(server);
    return server;
  }

  private void stop(Server server) {
    running.remove(server);
    server.close();
  }

  private ManagedChannel channel(int member) {
    ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", ports.get(member)).usePlaintext().build();
    channels.add(channel);
    return channel;
  }

  private KVGrpc.KVBlockingStub kv(int member) {
    return KVGrpc.newBlockingStub(channel(member)).withWaitForReady().withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  private static PutRequest put(String key, String value) {
    return PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).setValue(ByteString.copyFromUtf8(value)).build();
  }

  private String get(int member, String key) {
    RangeResponse response = kv(member).range(RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).build());
    return response.getKvsCount() == 0 ? null : response.getKvs(0).getValue().toStringUtf8();
  }

  /** Until a member that joins has learnt that it is one. */
  private void awaitVoter(int member) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (true) {
      try {
        get(member, "any");
        return;
      } catch (StatusRuntimeException notYet) {
        assertThat(System.nanoTime()).as(notYet.getMessage()).isLessThan(deadline);
        Thread.sleep(20);
      }
    }
  }

  private StatusResponse status(int member) {
    return MaintenanceGrpc.newBlockingStub(channel(member))
        .withWaitForReady()
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
        .status(StatusRequest.getDefaultInstance());
  }

  @Test
  void one_member_keeps_what_it_acknowledged_over_a_restart() throws Exception {
    Server first = start(0, 1);
    for (int i = 0; i < 50; i++) {
      kv(0).put(put("key" + i % 10, "value" + i));
    }
    long revision = status(0).getHeader().getRevision();
    assertThat(revision).isEqualTo(51);
    assertThat(http("/health")).isEqualTo("{\"health\":\"true\",\"reason\":\"\"}");
    assertThat(http("/metrics")).contains("etcd_server_has_leader 1\n", "etcd_server_is_leader 1\n", "etcd_debugging_mvcc_current_revision 51\n");
    assertThat(HealthGrpc.newBlockingStub(channel(0)).check(HealthCheckRequest.getDefaultInstance()).getStatus()).isEqualTo(ServingStatus.SERVING);
    stop(first);
    start(0, 1);
    assertThat(get(0, "key3")).isEqualTo("value43");
    assertThat(status(0).getHeader().getRevision()).isEqualTo(revision);
  }

  private String http(String path) throws IOException, URISyntaxException {
    try (var in = new URI(clientUrl(0) + path).toURL().openStream()) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @Test
  void three_members_agree_and_a_forced_one_goes_on_alone_with_all_of_it() throws Exception {
    start(0, 3);
    Server second = start(1, 3);
    Server third = start(2, 3);
    for (int i = 0; i < 3; i++) {
      kv(i).put(put("from" + i, "x" + i));
    }
    for (int member = 0; member < 3; member++) {
      for (int i = 0; i < 3; i++) {
        assertThat(get(member, "from" + i)).isEqualTo("x" + i);
      }
    }
    assertThat(status(0).getLeader()).isEqualTo(status(2).getLeader()).isNotZero();
    stop(third);
    kv(0).put(put("two", "left"));
    stop(second);
    stop(running.getFirst());

    start(0, 3, "--force-new-cluster");
    assertThat(get(0, "two")).isEqualTo("left");
    kv(0).put(put("alone", "yes"));
    MemberListResponse members =
        ClusterGrpc.newBlockingStub(channel(0)).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS).memberList(MemberListRequest.getDefaultInstance());
    assertThat(members.getMembersList()).hasSize(1).allMatch(member -> member.getName().equals("m0"));
    stop(running.getFirst());

    start(0, 3);
    assertThat(get(0, "alone")).isEqualTo("yes");
  }

  @Test
  void a_forced_member_with_a_token_is_another_cluster_from_then_on() throws Exception {
    start(0, 3);
    Server second = start(1, 3);
    kv(0).put(put("kept", "yes"));
    long before = status(0).getHeader().getClusterId();
    stop(second);
    stop(running.getFirst());

    start(0, 3, "--force-new-cluster", "--force-new-cluster-token=recovery");
    long forced = status(0).getHeader().getClusterId();
    assertThat(forced).isNotEqualTo(before);
    assertThat(get(0, "kept")).isEqualTo("yes");
    stop(running.getFirst());
    start(0, 3, "--force-new-cluster", "--force-new-cluster-token=recovery");
    assertThat(status(0).getHeader().getClusterId()).as("the same token gives the same id").isEqualTo(forced);
    stop(running.getFirst());

    start(0, 3);
    assertThat(status(0).getHeader().getClusterId()).as("without the flags it stays so").isEqualTo(forced);
    kv(0).put(put("alone", "yes"));
  }

  @Test
  void a_member_that_joins_a_forced_one_knows_nothing_of_those_that_were_dropped() throws Exception {
    start(0, 3);
    Server second = start(1, 3);
    kv(0).put(put("kept", "yes"));
    stop(second);
    stop(running.getFirst());
    start(0, 3, "--force-new-cluster", "--force-new-cluster-token=recovery");
    kv(0).put(put("alone", "yes"));

    ClusterGrpc.newBlockingStub(channel(0)).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
        .memberAdd(MemberAddRequest.newBuilder().addPeerURLs(peerUrl(3)).build());
    start(3, 3, "--initial-cluster=m0=" + peerUrl(0) + ",m3=" + peerUrl(3), "--initial-cluster-state=existing");
    awaitVoter(3);
    assertThat(get(3, "kept")).isEqualTo("yes");
    assertThat(get(3, "alone")).isEqualTo("yes");
    MemberListResponse members =
        ClusterGrpc.newBlockingStub(channel(3)).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS).memberList(MemberListRequest.getDefaultInstance());
    assertThat(members.getMembersList()).extracting(Member::getID).containsExactlyInAnyOrderElementsOf(
        ClusterGrpc.newBlockingStub(channel(0)).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS).memberList(MemberListRequest.getDefaultInstance())
            .getMembersList().stream().map(Member::getID).toList());
    assertThat(members.getMembersList()).hasSize(2);
  }

  @Test
  void a_member_that_restarts_without_a_quorum_serves_what_needs_none() throws Exception {
    Server first = start(0, 3, "--election-timeout=500", "--heartbeat-interval=50");
    Server second = start(1, 3, "--election-timeout=500", "--heartbeat-interval=50");
    kv(0).put(put("k", "v"));
    stop(second);
    stop(first);
    start(0, 3, "--election-timeout=500", "--heartbeat-interval=50");
    RangeRequest serializable = RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("k")).setSerializable(true).build();
    assertThat(kv(0).range(serializable).getKvs(0).getValue().toStringUtf8()).isEqualTo("v");
    assertThat(status(0).getLeader()).isZero();
    assertThat(status(0).getErrorsList()).containsExactly("etcdserver: no leader");
    assertThat(http("/livez")).isEqualTo("ok\n");
    assertThat(http("/health?serializable=true")).isEqualTo("{\"health\":\"true\",\"reason\":\"\"}");
    var described = io.kvorum.protocol.v1.AdminGrpc.newBlockingStub(channel(0)).describe(io.kvorum.protocol.v1.DescribeRequest.getDefaultInstance());
    assertThat(described.getHeader().getRevision()).isEqualTo(2);
    assertThat(described.getLastIndex()).isPositive();
    assertThat(described.getLeader()).isZero();
  }

  @Test
  void the_peer_port_answers_etcds_question_for_a_hash() throws Exception {
    start(0, 1);
    kv(0).put(put("k", "v"));
    HashKVResponse known =
        MaintenanceGrpc.newBlockingStub(channel(0)).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS).hashKV(HashKVRequest.getDefaultInstance());
    String cluster = Long.toHexString(known.getHeader().getClusterId());
    assertThat(hash("GET", cluster, "{\"revision\":2}"))
        .isEqualTo(
            "200 {\"header\":{\"revision\":2},\"hash\":" + Integer.toUnsignedString(known.getHash()) + ",\"compact_revision\":-1,\"hash_revision\":2} " + cluster);
    assertThat(hash("GET", "", "{}")).startsWith("200 {\"header\":{\"revision\":2},");
    assertThat(hash("GET", "", "{\"revision\":99}")).isEqualTo("400 mvcc: required revision is a future revision\n ");
    assertThat(hash("GET", "", "x")).isEqualTo("400 error unmarshalling request\n ");
    assertThat(hash("GET", "", "")).isEqualTo("400 error unmarshalling request\n ");
    assertThat(hash("GET", "1", "{}")).isEqualTo("412 cluster ID mismatch\n ");
    assertThat(hash("POST", "", "{}")).isEqualTo("405 Method Not Allowed\n ");
  }

  private String hash(String method, String cluster, String body) throws Exception {
    HttpRequest.Builder request = HttpRequest.newBuilder(new URI(peerUrl(0) + "/members/hashkv")).method(method, HttpRequest.BodyPublishers.ofString(body));
    if (!cluster.isEmpty()) {
      request.header("X-Etcd-Cluster-ID", cluster);
    }
    try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
      HttpResponse<String> response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
      return response.statusCode() + " " + response.body() + " " + response.headers().firstValue("X-Etcd-Cluster-ID").orElse("");
    }
  }

  @Test
  void a_taken_port_refuses_the_start_and_leaves_the_directory_free() throws Exception {
    try (ServerSocket taken = new ServerSocket(ports.get(0), 1, InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(() -> Server.start(config(0, 1)))
          .isInstanceOf(StartException.class)
          .hasMessage("listen tcp 127.0.0.1:" + taken.getLocalPort() + ": bind: address already in use");
    }
    start(0, 1);
    assertThat(get(0, "none")).isNull();
  }

  @Test
  void a_name_that_is_not_in_the_initial_cluster_is_refused() {
    assertThatThrownBy(() -> Server.start(config(0, 1, "--initial-cluster=other=" + peerUrl(0))))
        .isInstanceOf(StartException.class)
        .hasMessage("couldn't find local name \"m0\" in the initial cluster configuration");
  }

  @Test
  void a_stopped_member_can_be_looked_into() throws Exception {
    Server server = start(0, 1);
    kv(0).put(put("k", "v"));
    kv(0).put(put("k", "w"));
    stop(server);
    assertThat(report(temp.resolve("m0"), false).lines()).hasSizeGreaterThanOrEqualTo(2);
    assertThat(report(temp.resolve("m0"), true)).contains("\"revision\":3,").contains("\"member_id\":\"" + Long.toHexString(server.memberId()) + "\"");
    assertThatThrownBy(() -> report(temp, true)).isInstanceOf(DataDirectory.RefusedException.class).hasMessageContaining("is not a member's data directory");
  }

  private static String report(Path directory, boolean inspect) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    DataReport report = new DataReport(directory, null, new PrintStream(out, true, StandardCharsets.UTF_8));
    assertThat(inspect ? report.inspect() : report.dump()).isZero();
    return out.toString(StandardCharsets.UTF_8);
  }
}
