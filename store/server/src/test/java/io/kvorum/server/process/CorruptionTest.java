package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.protocol.etcdserverpb.AlarmMember;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.server.base.FreePorts;
import io.kvorum.server.cluster.MemberIds;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three members, the data of one of which is damaged: one value is another one, everything else is as it was. */
class CorruptionTest {
  private static final long DEADLINE_SECONDS = 30;
  private static final int DAMAGED = 2;

  @TempDir Path temp;

  private final List<Integer> ports = FreePorts.some(6);
  private final Server[] members = new Server[3];
  private final ManagedChannel[] channels = new ManagedChannel[3];
  private long damagedId;

  @BeforeEach
  void openChannels() {
    for (int i = 0; i < 3; i++) {
      channels[i] = NettyChannelBuilder.forAddress("127.0.0.1", ports.get(i)).usePlaintext().build();
    }
  }

  @AfterEach
  void stopAll() throws InterruptedException {
    for (ManagedChannel channel : channels) {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    Arrays.stream(members).filter(member -> member != null).forEach(Server::close);
  }

  private void start(int member, String... more) throws Exception {
    String peer = "http://127.0.0.1:" + ports.get(3 + member);
    String client = "http://127.0.0.1:" + ports.get(member);
    List<String> cluster = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      cluster.add("m" + i + "=http://127.0.0.1:" + ports.get(3 + i));
    }
    members[member] = Server.start(MemberFlags.config("m" + member, directory(member), client, peer, String.join(",", cluster), more));
  }

  private void stop(int member) {
    members[member].close();
    members[member] = null;
  }

  private Path directory(int member) {
    return temp.resolve("m" + member);
  }

  private KVGrpc.KVBlockingStub kv(int member) {
    return KVGrpc.newBlockingStub(channels[member]).withWaitForReady().withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  private static PutRequest put(String key) {
    return PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).setValue(ByteString.copyFromUtf8("value")).build();
  }

  private static RangeRequest range(String key) {
    return RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).build();
  }

  private List<AlarmMember> alarms(int member) {
    return MaintenanceGrpc.newBlockingStub(channels[member])
        .withWaitForReady()
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
        .alarm(AlarmRequest.getDefaultInstance())
        .getAlarmsList();
  }

  private void startAllAndDamageOne(String... more) throws Exception {
    for (int i = 0; i < 3; i++) {
      start(i, more);
    }
    for (int i = 0; i < 30; i++) {
      kv(i % 3).put(put("key" + i % 20));
    }
    kv(0).deleteRange(DeleteRangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("key3")).build());
    damagedId = members[DAMAGED].memberId();
    kv(DAMAGED).range(range("key0"));
    stop(DAMAGED);
    damage(directory(DAMAGED).resolve("member/store"), "key7");
  }

  /** Writes the whole history again with another value of one key. */
  private void damage(Path store, String key) throws Exception {
    Path rewritten = temp.resolve("rewritten");
    MvccOptions options = new MvccOptions(0, true, MvccOptions.DEFAULT.failPoint());
    try (MvccStore from = MvccStore.open(store, options); MvccStore to = MvccStore.open(rewritten, options); ReadView view = from.view()) {
      WriteTxn txn = null;
      long main = 0;
      for (Record change : view.changes(1, Integer.MAX_VALUE, Long.MAX_VALUE)) {
        if (change.main() != main && txn != null) {
          txn.end();
          to.publish();
          txn = null;
        }
        txn = txn == null ? to.begin() : txn;
        main = change.main();
        if (change.tombstone()) {
          txn.deleteRange(change.key(), new byte[0]);
        } else {
          byte[] value = change.value();
          value[0] ^= (byte) (new String(change.key(), java.nio.charset.StandardCharsets.UTF_8).equals(key) ? 1 : 0);
          txn.put(change.key(), value, change.lease());
        }
      }
      txn.end();
      to.publish();
      assertThat(to.revision()).isEqualTo(from.revision());
      to.checkpoint(from.checkpoint().index(), from.checkpoint().term(), from.checkpoint().machineState());
    }
    delete(store);
    Files.move(rewritten, store);
  }

  private void awaitAlarm(long member) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (alarms(0).isEmpty() && System.nanoTime() - deadline < 0) {
      Thread.sleep(20);
    }
    assertThat(alarms(1)).containsExactly(AlarmMember.newBuilder().setMemberID(member).setAlarm(AlarmType.CORRUPT).build());
  }

  private static void assertCorrupt(Runnable call) {
    Status status = catchThrowableOfType(StatusRuntimeException.class, call::run).getStatus();
    assertThat(status.getCode()).isEqualTo(Status.Code.DATA_LOSS);
    assertThat(status.getDescription()).isEqualTo("etcdserver: corrupt cluster");
  }

  private HttpResponse<String> http(int member, String path) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      URI uri = URI.create("http://127.0.0.1:" + ports.get(member) + path);
      return client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
    }
  }

  @Test
  void a_damaged_member_may_not_start_and_when_it_does_the_leader_raises_the_alarm() throws Exception {
    startAllAndDamageOne("--corrupt-check-time=300ms");
    assertThat(alarms(0)).isEmpty();

    assertThatThrownBy(() -> start(DAMAGED, "--feature-gates=InitialCorruptCheck=true"))
        .isInstanceOf(StartException.class)
        .hasMessage(MemberIds.hex(damagedId) + " found data inconsistency with peers")
        .satisfies(e -> assertThat(((StartException) e).event()).isEqualTo("checkInitialHashKV failed"));
    assertThat(alarms(0)).as("nobody could ask the refused member for its hash").isEmpty();
    stop(1);
    start(1, "--experimental-initial-corrupt-check", "--corrupt-check-time=300ms");
    kv(1).put(put("more"));

    start(DAMAGED, "--corrupt-check-time=300ms");
    awaitAlarm(damagedId);
    for (int i = 0; i < 3; i++) {
      KVGrpc.KVBlockingStub kv = kv(i);
      kv.range(range("key0"));
      kv.txn(TxnRequest.newBuilder().addSuccess(RequestOp.newBuilder().setRequestRange(range("key0"))).build());
      assertCorrupt(() -> kv.put(put("refused")));
      assertCorrupt(() -> kv.deleteRange(DeleteRangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("key0")).build()));
      assertCorrupt(() -> kv.txn(TxnRequest.newBuilder().addSuccess(RequestOp.newBuilder().setRequestPut(put("refused"))).build()));
      assertCorrupt(() -> kv.compact(CompactionRequest.newBuilder().setRevision(5).build()));
      LeaseGrpc.LeaseBlockingStub leases = LeaseGrpc.newBlockingStub(channels[i]).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
      assertCorrupt(() -> leases.leaseGrant(LeaseGrantRequest.newBuilder().setTTL(60).build()));
      assertThat(http(i, "/readyz").statusCode()).isEqualTo(503);
      assertThat(http(i, "/readyz").body()).contains("[-]data_corruption failed: alarm activated: CORRUPT\n");
      assertThat(http(i, "/livez").statusCode()).isEqualTo(200);
      assertThat(http(i, "/health").body()).isEqualTo("{\"health\":\"false\",\"reason\":\"ALARM CORRUPT\"}\n");
    }
  }

  /** The others have compacted behind the checkpoint: as of that nothing could be compared, so the log's committed entries are applied before. */
  @Test
  void a_killed_member_is_compared_as_of_its_last_committed_entry() throws Exception {
    startAllAndDamageOne();
    start(DAMAGED);
    kv(DAMAGED).compact(CompactionRequest.newBuilder().setRevision(25).setPhysical(true).build());
    for (int i = 0; i < 3; i++) {
      kv(DAMAGED).put(put("more"));
    }
    for (int i = 0; i < 3; i++) {
      kv(i).range(range("more"));
    }
    Path killed = temp.resolve("killed");
    ExportCommandTest.copy(directory(DAMAGED), killed);
    stop(DAMAGED);
    delete(directory(DAMAGED));
    Files.move(killed, directory(DAMAGED));

    assertThatThrownBy(() -> start(DAMAGED, "--feature-gates=InitialCorruptCheck=true"))
        .isInstanceOf(StartException.class)
        .hasMessage(MemberIds.hex(damagedId) + " found data inconsistency with peers");
    assertThat(alarms(0)).isEmpty();
    start(DAMAGED);
    assertThat(kv(DAMAGED).range(range("more")).getKvs(0).getVersion()).isEqualTo(3);
  }

  private static void delete(Path tree) throws IOException {
    try (var files = Files.walk(tree)) {
      files.sorted(java.util.Comparator.reverseOrder()).forEach(file -> assertThat(file.toFile().delete()).isTrue());
    }
  }

  @Test
  void the_comparison_at_a_compaction_finds_it_too() throws Exception {
    String[] gate = {"--feature-gates=CompactHashCheck=true", "--compact-hash-check-time=200ms"};
    startAllAndDamageOne(gate);
    start(DAMAGED, gate);
    kv(DAMAGED).put(put("more"));
    assertThat(alarms(DAMAGED)).isEmpty();
    kv(DAMAGED).compact(CompactionRequest.newBuilder().setRevision(25).build());
    awaitAlarm(damagedId);
  }
}
