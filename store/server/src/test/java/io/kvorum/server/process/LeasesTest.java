package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseStatus;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveResponse;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.kvorum.protocol.etcdserverpb.StatusResponse;
import io.kvorum.protocol.mvccpb.KeyValue;
import io.kvorum.protocol.v1.LeasesGrpc;
import io.kvorum.protocol.v1.PutWithLeaseRequest;
import io.kvorum.protocol.v1.PutWithLeaseResponse;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A lease and its key in one call, through the port. */
class LeasesTest {
  private static final long DEADLINE_SECONDS = 30;

  @TempDir Path temp;
  private LoneMember member;

  @BeforeEach
  void start() throws Exception {
    start("--quota-backend-bytes=2000000");
    member.awaitFeatureLevel();
  }

  private void start(String... options) throws Exception {
    member = new LoneMember(temp.resolve("m0"), options);
  }

  @AfterEach
  void stop() throws Exception {
    member.close();
  }

  private static ByteString utf8(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private static PutWithLeaseRequest.Builder request(String key, long ttl) {
    return PutWithLeaseRequest.newBuilder().setKey(utf8(key)).setValue(utf8("v")).setTtl(ttl);
  }

  private PutWithLeaseResponse putWithLease(PutWithLeaseRequest.Builder request) {
    return LeasesGrpc.newBlockingStub(member.channel).putWithLease(request.build());
  }

  private KVGrpc.KVBlockingStub kv() {
    return KVGrpc.newBlockingStub(member.channel);
  }

  private LeaseGrpc.LeaseBlockingStub leases() {
    return LeaseGrpc.newBlockingStub(member.channel);
  }

  private StatusResponse status() {
    return MaintenanceGrpc.newBlockingStub(member.channel).status(StatusRequest.getDefaultInstance());
  }

  /** Null when it is not there. */
  private KeyValue get(String key) {
    List<KeyValue> found = kv().range(RangeRequest.newBuilder().setKey(utf8(key)).build()).getKvsList();
    return found.isEmpty() ? null : found.getFirst();
  }

  private LeaseTimeToLiveResponse timeToLive(long id) {
    return leases().leaseTimeToLive(LeaseTimeToLiveRequest.newBuilder().setID(id).setKeys(true).build());
  }

  private void revoke(long id) {
    leases().leaseRevoke(LeaseRevokeRequest.newBuilder().setID(id).build());
  }

  private void assertRefused(PutWithLeaseRequest.Builder request, String message) {
    long revision = status().getHeader().getRevision();
    List<LeaseStatus> before = leases().leaseLeases(LeaseLeasesRequest.getDefaultInstance()).getLeasesList();
    assertThatThrownBy(() -> putWithLease(request)).hasMessage(message);
    assertThat(status().getHeader().getRevision()).as("nothing was written").isEqualTo(revision);
    assertThat(leases().leaseLeases(LeaseLeasesRequest.getDefaultInstance()).getLeasesList()).as("no lease was granted").containsExactlyInAnyOrderElementsOf(before);
  }

  @Test
  void one_entry_makes_the_lease_and_the_key() {
    StatusResponse before = status();
    PutWithLeaseResponse answer = putWithLease(request("k", 600));
    StatusResponse after = status();
    assertThat(after.getRaftAppliedIndex()).isEqualTo(before.getRaftAppliedIndex() + 1);
    assertThat(answer.getHeader()).isEqualTo(after.getHeader());
    assertThat(answer.getHeader().getRevision()).isEqualTo(before.getHeader().getRevision() + 1);
    assertThat(answer.getTtl()).isEqualTo(600);
    assertThat(answer.getLease()).isPositive();
    assertThat(answer.hasPrevKv()).isFalse();
    KeyValue stored = get("k");
    assertThat(stored.getLease()).isEqualTo(answer.getLease());
    assertThat(stored.getValue()).isEqualTo(utf8("v"));
    LeaseTimeToLiveResponse alive = timeToLive(answer.getLease());
    assertThat(alive.getGrantedTTL()).isEqualTo(600);
    assertThat(alive.getKeysList()).containsExactly(utf8("k"));
    revoke(answer.getLease());
    assertThat(get("k")).isNull();
  }

  @Test
  void the_id_may_be_chosen_and_the_time_is_at_least_the_servers_minimum() {
    PutWithLeaseResponse answer = putWithLease(request("k", -5).setLease(4_711));
    assertThat(answer.getLease()).isEqualTo(4_711);
    assertThat(answer.getTtl()).isEqualTo(timeToLive(4_711).getGrantedTTL()).isPositive();
  }

  @Test
  void what_was_there_is_answered_and_its_lease_loses_the_key() {
    long first = putWithLease(request("k", 600)).getLease();
    putWithLease(request("other", 600).setLease(9));
    PutWithLeaseResponse second = putWithLease(request("k", 600).setValue(utf8("new")).setPrevKv(true));
    assertThat(second.getPrevKv().getLease()).isEqualTo(first);
    assertThat(second.getPrevKv().getValue()).isEqualTo(utf8("v"));
    assertThat(timeToLive(first).getKeysList()).isEmpty();
    revoke(first);
    assertThat(get("k").getLease()).isEqualTo(second.getLease());
    assertThat(get("k").getVersion()).isEqualTo(2);
    kv().put(PutRequest.newBuilder().setKey(utf8("k")).setValue(utf8("free")).build());
    revoke(second.getLease());
    assertThat(get("k").getValue()).isEqualTo(utf8("free"));
  }

  @Test
  void a_refused_one_changes_nothing() {
    leases().leaseGrant(LeaseGrantRequest.newBuilder().setID(7).setTTL(600).build());
    assertRefused(request("", 600), "INVALID_ARGUMENT: etcdserver: key is not provided");
    assertRefused(request("k", 600).setLease(7), "FAILED_PRECONDITION: etcdserver: lease already exists");
    assertRefused(request("k", 9_000_000_001L), "OUT_OF_RANGE: etcdserver: too large lease TTL");
    assertRefused(request("k", 600).setValue(ByteString.copyFrom(new byte[1_572_864])), "INVALID_ARGUMENT: etcdserver: request is too large");
  }

  @Test
  void what_has_no_room_raises_the_alarm_and_is_refused_while_it_stands() {
    kv().put(PutRequest.newBuilder().setKey(utf8("fill")).setValue(ByteString.copyFrom(new byte[1_000_000])).build());
    PutWithLeaseRequest.Builder large = request("k", 600).setValue(ByteString.copyFrom(new byte[1_100_000]));
    assertRefused(large, "RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded");
    assertRefused(request("k", 600), "RESOURCE_EXHAUSTED: etcdserver: mvcc: database space exceeded");
    AlarmRequest.Builder alarm = AlarmRequest.newBuilder().setAlarm(AlarmType.NOSPACE).setMemberID(status().getHeader().getMemberId());
    MaintenanceGrpc.newBlockingStub(member.channel).alarm(alarm.setAction(AlarmRequest.AlarmAction.DEACTIVATE).build());
    assertThat(putWithLease(request("k", 600)).getLease()).isPositive();
  }

  @Test
  void the_key_ends_with_its_lease() throws Exception {
    long lease = putWithLease(request("k", 1)).getLease();
    assertThat(get("k")).isNotNull();
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (get("k") != null) {
      assertThat(System.nanoTime()).as("the lease ends in time").isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(50);
    }
    assertThat(timeToLive(lease).getTTL()).isEqualTo(-1);
  }

  @Test
  void lease_and_key_are_there_after_a_restart() throws Exception {
    long lease = putWithLease(request("k", 600)).getLease();
    long revision = status().getHeader().getRevision();
    member.close();
    start();
    assertThat(status().getHeader().getRevision()).isEqualTo(revision);
    assertThat(get("k").getLease()).isEqualTo(lease);
    assertThat(timeToLive(lease).getKeysList()).containsExactly(utf8("k"));
    assertThat(putWithLease(request("k2", 600)).getLease()).as("the feature level is kept").isPositive();
  }

  @Test
  void the_gateway_has_it_and_the_metrics_count_it() throws Exception {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpRequest.BodyPublisher body = HttpRequest.BodyPublishers.ofString("{\"key\":\"aw==\",\"value\":\"dg==\",\"ttl\":\"600\",\"lease\":\"77\"}");
      HttpResponse<String> answer =
          http.send(HttpRequest.newBuilder(URI.create(member.url + "/v3/kvorum/lease/putwithlease")).POST(body).build(), HttpResponse.BodyHandlers.ofString());
      assertThat(answer.body()).contains("\"lease\":\"77\",\"ttl\":\"600\"").contains("\"revision\":\"2\"");
      assertThat(get("k").getLease()).isEqualTo(77);
      String metrics = http.send(HttpRequest.newBuilder(URI.create(member.url + "/metrics")).build(), HttpResponse.BodyHandlers.ofString()).body();
      assertThat(metrics)
          .contains("grpc_server_handled_total{grpc_code=\"OK\",grpc_method=\"PutWithLease\",grpc_service=\"kvorum.v1.Leases\",grpc_type=\"unary\"} 1\n")
          .contains("etcd_server_apply_duration_seconds_count{op=\"PutWithLease\",success=\"true\",version=\"v3\"} 1\n")
          .contains("etcd_debugging_lease_granted_total 1\n", "etcd_mvcc_put_total 1\n");
    }
  }
}
