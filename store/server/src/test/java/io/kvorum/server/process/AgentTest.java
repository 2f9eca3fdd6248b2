package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.BlockingClientCall;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.SnapshotRequest;
import io.kvorum.protocol.etcdserverpb.SnapshotResponse;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.protocol.v3lockpb.LockGrpc;
import io.kvorum.protocol.v3lockpb.LockRequest;
import io.kvorum.server.agent.TestAgent;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** An agent without a copy, in front of real members: everything passes. */
@Timeout(120)
class AgentTest {
  private static final long SECONDS = 20;

  @TempDir static Path temp;
  private static LoneMember member;
  private static TestAgent agent;

  @BeforeAll
  static void start() throws Exception {
    member = new LoneMember(temp.resolve("m0"));
    agent = new TestAgent("--endpoints=" + member.url, "--listen-metrics-urls=http://127.0.0.1:0");
  }

  @AfterAll
  static void stop() throws Exception {
    agent.close();
    member.close();
  }

  private static ByteString utf8(String text) {
    return ByteString.copyFromUtf8(text);
  }

  static KVGrpc.KVBlockingStub kv(Channel channel) {
    return KVGrpc.newBlockingStub(channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS);
  }

  private static PutRequest put(String key, String value) {
    return PutRequest.newBuilder().setKey(utf8(key)).setValue(utf8(value)).build();
  }

  private static RangeRequest get(String key) {
    return RangeRequest.newBuilder().setKey(utf8(key)).build();
  }

  @Test
  void writes_reads_and_transactions_have_the_members_own_answers() {
    long revision = kv(agent.channel).put(put("a", "1")).getHeader().getRevision();
    RangeResponse direct = kv(member.channel).range(get("a"));
    assertThat(direct.getKvs(0).getModRevision()).isEqualTo(revision);
    assertThat(kv(agent.channel).range(get("a"))).isEqualTo(direct);
    Compare same =
        Compare.newBuilder().setKey(utf8("a")).setTarget(Compare.CompareTarget.MOD).setResult(Compare.CompareResult.EQUAL).setModRevision(revision).build();
    TxnRequest swap = TxnRequest.newBuilder().addCompare(same).addSuccess(RequestOp.newBuilder().setRequestPut(put("a", "2"))).build();
    assertThat(kv(agent.channel).txn(swap).getSucceeded()).isTrue();
    assertThat(kv(agent.channel).txn(swap).getSucceeded()).isFalse();
    assertThat(kv(member.channel).range(get("a")).getKvs(0).getValue().toStringUtf8()).isEqualTo("2");
  }

  @Test
  void refusals_have_the_members_code_and_words() {
    long revision = kv(agent.channel).put(put("c", "1")).getHeader().getRevision();
    kv(agent.channel).compact(CompactionRequest.newBuilder().setRevision(revision).build());
    for (Channel channel : List.of(member.channel, agent.channel)) {
      assertThatThrownBy(() -> kv(channel).range(get("c").toBuilder().setRevision(revision - 1).build()))
          .hasMessage("OUT_OF_RANGE: etcdserver: mvcc: required revision has been compacted");
      assertThatThrownBy(() -> LeaseGrpc.newBlockingStub(channel).leaseRevoke(LeaseRevokeRequest.newBuilder().setID(4711).build()))
          .hasMessage("NOT_FOUND: etcdserver: requested lease not found");
      assertThatThrownBy(() -> kv(channel).put(put("", "")))
          .hasMessage("INVALID_ARGUMENT: etcdserver: key is not provided");
      assertThatThrownBy(() -> kv(channel).put(put("c", "v".repeat(3 << 20))))
          .hasMessageStartingWith("RESOURCE_EXHAUSTED: grpc: received message larger than max (");
    }
  }

  @Test
  void streams_pass_in_both_directions() throws Exception {
    try (PermissionWorld.Stream watch = new PermissionWorld.Stream(agent.channel, null)) {
      watch.watch("w");
      assertThat(watch.next().getCreated()).isTrue();
      for (int i = 0; i < 100; i++) {
        kv(agent.channel).put(put("w", "" + i));
      }
      int next = 0;
      while (next < 100) {
        WatchResponse answer = watch.next();
        for (var event : answer.getEventsList()) {
          assertThat(event.getKv().getValue().toStringUtf8()).isEqualTo("" + next++);
        }
      }
    }
    long lease = LeaseGrpc.newBlockingStub(agent.channel).leaseGrant(LeaseGrantRequest.newBuilder().setTTL(30).build()).getID();
    BlockingClientCall<LeaseKeepAliveRequest, LeaseKeepAliveResponse> alive =
        LeaseGrpc.newBlockingV2Stub(agent.channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS).leaseKeepAlive();
    for (int i = 0; i < 3; i++) {
      alive.write(LeaseKeepAliveRequest.newBuilder().setID(lease).build());
      assertThat(alive.read().getTTL()).isEqualTo(30);
    }
    alive.halfClose();
    assertThat(alive.read()).isNull();
    Iterator<SnapshotResponse> pieces = MaintenanceGrpc.newBlockingStub(agent.channel).snapshot(SnapshotRequest.getDefaultInstance());
    long bytes = 0;
    while (pieces.hasNext()) {
      bytes += pieces.next().getBlob().size();
    }
    assertThat(bytes).isGreaterThan(8 << 10);
  }

  @Test
  void a_lock_waits_as_long_as_it_has_to_and_gives_up_with_its_caller() {
    LockRequest request = LockRequest.newBuilder().setName(utf8("lock")).build();
    ByteString first = LockGrpc.newBlockingStub(agent.channel).withDeadlineAfter(SECONDS, TimeUnit.SECONDS).lock(request.toBuilder().setLease(lease()).build()).getKey();
    assertThatThrownBy(() -> LockGrpc.newBlockingStub(agent.channel).withDeadlineAfter(500, TimeUnit.MILLISECONDS).lock(request.toBuilder().setLease(lease()).build()))
        .isInstanceOfSatisfying(StatusRuntimeException.class, late -> assertThat(late.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED));
    // Whoever gave up is no longer in the line: its key is gone.
    RangeRequest line = RangeRequest.newBuilder().setKey(utf8("lock/")).setRangeEnd(utf8("lock0")).setKeysOnly(true).build();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
    while (kv(member.channel).range(line).getKvsCount() > 1) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      Thread.onSpinWait();
    }
    assertThat(kv(member.channel).range(line).getKvs(0).getKey()).isEqualTo(first);
  }

  private static long lease() {
    return LeaseGrpc.newBlockingStub(agent.channel).leaseGrant(LeaseGrantRequest.newBuilder().setTTL(60).build()).getID();
  }

  @Test
  void the_gateway_and_the_probes_answer() throws Exception {
    kv(agent.channel).put(put("g", "1"));
    HttpClient client = HttpClient.newHttpClient();
    HttpRequest range =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + agent.port + "/v3/kv/range")).POST(HttpRequest.BodyPublishers.ofString("{\"key\":\"Zw==\"}")).build();
    assertThat(client.send(range, HttpResponse.BodyHandlers.ofString()).body()).contains("\"key\":\"Zw==\"", "\"count\":\"1\"");
    for (int port : List.of(agent.port, agent.metricsPort())) {
      for (String path : List.of("/livez", "/readyz", "/metrics")) {
        HttpRequest probe = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build();
        assertThat(client.send(probe, HttpResponse.BodyHandlers.ofString()).statusCode()).as(path).isEqualTo(200);
      }
    }
    HttpRequest wrongPort =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + agent.metricsPort() + "/v3/kv/range")).POST(HttpRequest.BodyPublishers.ofString("{}")).build();
    assertThat(client.send(wrongPort, HttpResponse.BodyHandlers.ofString()).statusCode()).isEqualTo(404);
  }

  @Test
  void calls_go_on_with_another_member_and_fail_within_the_dial_timeout_without_any() throws Exception {
    List<LoneMember> pair = LoneMember.pair(temp.resolve("pair"));
    String endpoints = pair.get(0).url + "," + pair.get(1).url;
    try (TestAgent between = new TestAgent("--endpoints=" + endpoints, "--dial-timeout=2s")) {
      kv(between.channel).put(put("p", "1"));
      RangeRequest local = get("p").toBuilder().setSerializable(true).build();
      try (LoneMember left = pair.get(1)) {
        pair.get(0).close();
        for (int i = 0; i < 20; i++) {
          assertThat(kv(between.channel).range(local).getKvs(0).getValue().toStringUtf8()).isEqualTo("1");
        }
        assertThat(left.url).isNotNull();
      }
      long began = System.nanoTime();
      assertThatThrownBy(() -> kv(between.channel).put(put("p", "2")))
          .hasMessage("UNAVAILABLE: etcdserver: request timed out, possibly due to connection lost");
      assertThat(System.nanoTime() - began).isLessThan(TimeUnit.SECONDS.toNanos(5));
      HttpRequest ready = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + between.port + "/readyz")).build();
      assertThat(HttpClient.newHttpClient().send(ready, HttpResponse.BodyHandlers.ofString()).statusCode()).isEqualTo(503);
    }
  }
}
