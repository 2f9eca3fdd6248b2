package io.kvorum.server.maintenance;

import static io.kvorum.server.cluster.ServiceRig.refusal;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.protocol.etcdserverpb.AlarmMember;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.etcdserverpb.DefragmentRequest;
import io.kvorum.protocol.etcdserverpb.DefragmentResponse;
import io.kvorum.protocol.etcdserverpb.DowngradeRequest;
import io.kvorum.protocol.etcdserverpb.DowngradeRequest.DowngradeAction;
import io.kvorum.protocol.etcdserverpb.DowngradeResponse;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.protocol.etcdserverpb.HashRequest;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.MoveLeaderRequest;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.kvorum.protocol.etcdserverpb.StatusResponse;
import io.kvorum.protocol.internal.ClusterVersionSetRequest;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.raft.Role;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.cluster.Member;
import io.kvorum.server.cluster.ServiceRig;
import io.kvorum.server.peer.FakeNode;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MaintenanceServiceTest {
  @TempDir Path directory;

  private final Alarms alarms = new Alarms();
  private final FakeNode node = new FakeNode();
  private MvccStore store;
  private ServiceRig rig;
  private MaintenanceGrpc.MaintenanceBlockingStub client;

  @BeforeEach
  void start() throws Exception {
    store = MvccStore.open(directory, new MvccOptions(0, true, MvccOptions.DEFAULT.failPoint()));
    rig =
        new ServiceRig(
            store,
            List.of(
                new Member(1, "one", List.of("http://a:1"), List.of(), false, 1),
                new Member(2, "two", List.of("http://b:1"), List.of(), false, 1),
                new Member(3, "three", List.of("http://c:1"), List.of(), true, 1)));
    ContentHash hash = new ContentHash(rig.kernel, rig.timer);
    client = MaintenanceGrpc.newBlockingStub(rig.serve(new MaintenanceService(rig.kernel, rig.members, alarms, node, hash, null, () -> 0)));
  }

  @AfterEach
  void stop() throws Exception {
    rig.close();
    store.close();
  }

  private void put(String key, String value) {
    WriteTxn txn = store.begin();
    txn.put(key.getBytes(UTF_8), value.getBytes(UTF_8), 0);
    txn.end();
    store.publish();
  }

  private static void assertRefused(StatusRuntimeException actual, EtcdError expected) {
    assertThat(actual.getStatus().getCode()).isEqualTo(expected.status().getCode());
    assertThat(actual.getStatus().getDescription()).isEqualTo(expected.text());
  }

  @Test
  void statusHasEveryField() {
    put("k", "v");

    StatusResponse status = client.status(StatusRequest.getDefaultInstance());

    assertThat(status.getHeader().getRevision()).isEqualTo(2);
    assertThat(status.getHeader().getClusterId()).isEqualTo(ServiceRig.CLUSTER);
    assertThat(status.getVersion()).matches("3\\.6\\.\\d+");
    assertThat(status.getStorageVersion()).isEqualTo("3.6.0");
    assertThat(status.getLeader()).isEqualTo(1);
    assertThat(status.getRaftIndex()).isEqualTo(99);
    assertThat(status.getRaftAppliedIndex()).isEqualTo(98);
    assertThat(status.getRaftTerm()).isEqualTo(3);
    assertThat(status.getDbSize()).isPositive().isGreaterThanOrEqualTo(status.getDbSizeInUse());
    assertThat(status.getDbSizeQuota()).isEqualTo(2_147_483_648L);
    assertThat(status.getIsLearner()).isFalse();
    assertThat(status.hasDowngradeInfo()).isTrue();
    assertThat(status.getDowngradeInfo().getEnabled()).isFalse();
    assertThat(status.getErrorsList()).isEmpty();
  }

  @Test
  void statusTellsOfAlarmsAndAMissingLeader() {
    rig.leader = 0;
    alarms.restore(
        MachineState.newBuilder()
            .addAlarms(AlarmMember.newBuilder().setMemberID(-1).setAlarm(AlarmType.NOSPACE))
            .addAlarms(AlarmMember.newBuilder().setAlarm(AlarmType.CORRUPT))
            .build());

    assertThat(client.status(StatusRequest.getDefaultInstance()).getErrorsList())
        .containsExactlyInAnyOrder("etcdserver: no leader", "memberID:18446744073709551615 alarm:NOSPACE ", "alarm:CORRUPT ");
  }

  @Test
  void hashesTheContent() {
    put("a", "1");
    put("b", "2");
    long at3;
    try (ReadView view = store.view()) {
      at3 = Integer.toUnsignedLong(view.hash(0).hash());
    }

    HashKVResponse newest = client.hashKV(HashKVRequest.getDefaultInstance());
    HashKVResponse older = client.hashKV(HashKVRequest.newBuilder().setRevision(2).build());

    assertThat(Integer.toUnsignedLong(newest.getHash())).isEqualTo(at3);
    assertThat(newest.getHashRevision()).isEqualTo(3);
    assertThat(newest.getCompactRevision()).isEqualTo(-1);
    assertThat(newest.getHeader().getRevision()).isEqualTo(3);
    assertThat(older.getHash()).isNotEqualTo(newest.getHash());
    assertThat(client.hash(HashRequest.getDefaultInstance()).getHash()).isEqualTo(newest.getHash());
    assertRefused(refusal(() -> client.hashKV(HashKVRequest.newBuilder().setRevision(9).build())), EtcdError.FUTURE_REVISION);
    store.compact(3);
    store.publish();
    assertRefused(refusal(() -> client.hashKV(HashKVRequest.newBuilder().setRevision(2).build())), EtcdError.COMPACTED);
  }

  @Test
  void alarmsGoThroughTheLog() {
    AlarmRequest request = AlarmRequest.newBuilder().setAction(AlarmRequest.AlarmAction.ACTIVATE).setMemberID(2).setAlarm(AlarmType.CORRUPT).build();

    assertThat(client.alarm(request).getHeader().getRevision()).isEqualTo(17);

    assertThat(rig.proposed.getFirst().getAlarm()).isEqualTo(request);
    assertThat(client.alarm(request).getHeader().getMemberId()).isEqualTo(1);
  }

  @Test
  void defragmentAnswersNothingAtAll() {
    put("a", "1");

    assertThat(client.defragment(DefragmentRequest.getDefaultInstance())).isEqualTo(DefragmentResponse.getDefaultInstance());
  }

  private StatusRuntimeException moveRefused(long target) {
    return refusal(() -> client.moveLeader(MoveLeaderRequest.newBuilder().setTargetID(target).build()));
  }

  @Test
  void movesTheLeaderToAVoterAlone() {
    assertThat(client.moveLeader(MoveLeaderRequest.newBuilder().setTargetID(2).build()).hasHeader()).isFalse();
    client.moveLeader(MoveLeaderRequest.newBuilder().setTargetID(1).build());
    assertThat(node.transfers).containsExactly(2L);

    assertRefused(moveRefused(0), EtcdError.BAD_LEADER_TRANSFEREE);
    assertRefused(moveRefused(3), EtcdError.BAD_LEADER_TRANSFEREE);
    assertRefused(moveRefused(9), EtcdError.BAD_LEADER_TRANSFEREE);
    node.transfer = CompletableFuture.completedFuture(false);
    assertRefused(moveRefused(2), EtcdError.TIMED_OUT_LEADER_TRANSFER);
    rig.role = Role.FOLLOWER;
    assertRefused(moveRefused(2), EtcdError.NOT_LEADER);
  }

  private DowngradeResponse downgrade(DowngradeAction action, String version) {
    return client.downgrade(DowngradeRequest.newBuilder().setAction(action).setVersion(version).build());
  }

  @Test
  void downgradesByOneMinorVersionAlone() {
    assertRefused(refusal(() -> downgrade(DowngradeAction.VALIDATE, "3.5")), EtcdError.CLUSTER_VERSION_NOT_FOUND);
    rig.members.setClusterVersion(ClusterVersionSetRequest.newBuilder().setVer("3.6.0").build());

    for (String wrong : List.of("", "3", "3.x", "v3.5", "3.5.0.0")) {
      assertRefused(refusal(() -> downgrade(DowngradeAction.VALIDATE, wrong)), EtcdError.WRONG_DOWNGRADE_VERSION_FORMAT);
    }
    for (String invalid : List.of("3.4", "3.6", "3.6.16", "2.5")) {
      assertRefused(refusal(() -> downgrade(DowngradeAction.ENABLE, invalid)), EtcdError.INVALID_DOWNGRADE_VERSION);
    }
    assertThat(downgrade(DowngradeAction.VALIDATE, "3.5.9").getVersion()).isEqualTo("3.6");
    assertThat(rig.proposed).isEmpty();

    assertThat(downgrade(DowngradeAction.ENABLE, "3.5").getVersion()).isEqualTo("3.6");

    StatusResponse status = client.status(StatusRequest.getDefaultInstance());
    assertThat(status.getDowngradeInfo().getEnabled()).isTrue();
    assertThat(status.getDowngradeInfo().getTargetVersion()).isEqualTo("3.5.0");
    assertRefused(refusal(() -> downgrade(DowngradeAction.VALIDATE, "3.5")), EtcdError.DOWNGRADE_IN_PROGRESS);
    downgrade(DowngradeAction.CANCEL, "");
    downgrade(DowngradeAction.CANCEL, "");
    assertThat(client.status(StatusRequest.getDefaultInstance()).getDowngradeInfo().getEnabled()).isFalse();
    assertRefused(
        refusal(() -> client.downgrade(DowngradeRequest.newBuilder().setActionValue(9).setVersion("3.5").build())), EtcdError.UNKNOWN_METHOD);
  }
}
