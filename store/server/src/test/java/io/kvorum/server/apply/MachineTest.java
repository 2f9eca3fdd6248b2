package io.kvorum.server.apply;

import static io.kvorum.server.apply.Requests.compaction;
import static io.kvorum.server.apply.Requests.delete;
import static io.kvorum.server.apply.Requests.log;
import static io.kvorum.server.apply.Requests.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;
import io.kvorum.protocol.etcdserverpb.AlarmMember;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmRequest.AlarmAction;
import io.kvorum.protocol.etcdserverpb.AlarmResponse;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.etcdserverpb.CompactionResponse;
import io.kvorum.protocol.etcdserverpb.DeleteRangeResponse;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeResponse;
import io.kvorum.protocol.etcdserverpb.PutResponse;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.internal.ClusterVersionSetRequest;
import io.kvorum.protocol.internal.FeatureLevelSetRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.FeatureLevel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class MachineTest {
  private final ModelStore store = new ModelStore();
  private final List<String> heard = new ArrayList<>();
  private final DirectLog log = new DirectLog(store, new Recorder());

  private final class Recorder implements ChangeListener {
    @Override
    public void published(long revision, List<Change> changes) {
      heard.add("published " + revision + " with " + changes.size() + ", visible " + store.revision());
    }

    @Override
    public void compacted(long compactRevision) {
      heard.add("compacted " + compactRevision);
    }

    @Override
    public void replaced(long revision) {
      heard.add("replaced " + revision);
    }
  }

  private static void assertRefused(Runnable call, EtcdError error) {
    assertThatThrownBy(call::run).isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(e.getStatus()).isSameAs(error.status()));
  }

  @Test
  void theFirstWriteGetsRevisionTwo() {
    PutResponse response = log.call(log(put("a", "1")));
    assertThat(response.getHeader()).isEqualTo(ResponseHeader.newBuilder().setRevision(2).build());
  }

  @Test
  void aBatchIsPublishedBeforeListenersHearOfIt() {
    log.call(log(put("a", "1")));
    log.call(log(delete("nothing")));
    assertThat(heard).containsExactly("published 2 with 1, visible 2", "published 2 with 0, visible 2");
  }

  @Test
  void nothingIsVisibleBeforeTheBatchEnds() {
    log.machine.apply(new Entry(1, 1, EntryType.NORMAL, 0, log(put("a", "1")).build().toByteArray()));
    assertThat(store.revision()).isEqualTo(1);
    log.machine.endBatch(1);
    assertThat(store.revision()).isEqualTo(2);
  }

  @Test
  void theFirstEntryOfALeaderOnlyMovesTheAppliedIndex() {
    log.apply(new byte[0]);
    assertThat(log.machine.appliedIndex()).isEqualTo(1);
    assertThat(store.revision()).isEqualTo(1);
  }

  @Test
  void deletingNothingDoesNotAdvanceTheRevision() {
    DeleteRangeResponse response = log.call(log(delete("a")));
    assertThat(response.getDeleted()).isZero();
    assertThat(response.getHeader().getRevision()).isEqualTo(1);
  }

  @Test
  void deletingReturnsThePairsInKeyOrder() {
    log.call(log(put("b", "2")));
    log.call(log(put("a", "1")));
    DeleteRangeResponse response = log.call(log(delete("a").setRangeEnd(ByteString.copyFromUtf8("c")).setPrevKv(true)));
    assertThat(response.getPrevKvsList()).extracting(kv -> kv.getKey().toStringUtf8()).containsExactly("a", "b");
    assertThat(response.getDeleted()).isEqualTo(2);
    assertThat(response.getHeader().getRevision()).isEqualTo(4);
  }

  @Test
  void compactionAnswersWithTheCurrentRevisionAndTellsTheListeners() {
    log.call(log(put("a", "1")));
    log.call(log(put("a", "2")));
    CompactionResponse response = log.call(compaction(2));
    assertThat(response.getHeader().getRevision()).isEqualTo(3);
    assertThat(heard).endsWith("published 3 with 0, visible 3", "compacted 2");
    assertThat(store.compactRevision()).isEqualTo(2);
  }

  @Test
  void compactionIsRefusedInTheFutureAndBelowTheFloorAndAllowedAtTheCurrentRevision() {
    log.call(log(put("a", "1")));
    assertRefused(() -> log.call(compaction(3)), EtcdError.FUTURE_REVISION);
    assertRefused(() -> log.call(compaction(0)), EtcdError.COMPACTED);
    log.call(compaction(2));
    assertRefused(() -> log.call(compaction(2)), EtcdError.COMPACTED);
  }

  @Test
  void aWriteSeesTheFloorThatAnEarlierEntryOfTheSameBatchMoved() {
    log.call(log(put("a", "1")));
    log.call(log(put("a", "2")));
    TxnRequest.Builder read = TxnRequest.newBuilder().addSuccess(Requests.op(put("b", "1"))).addSuccess(Requests.op(Requests.range("a").setRevision(2)));
    log.machine.apply(new Entry(1, 3, EntryType.NORMAL, 0, compaction(3).build().toByteArray()));
    log.machine.apply(new Entry(1, 4, EntryType.NORMAL, 0, log(read).build().toByteArray()));
    log.machine.endBatch(4);
    assertThat(store.revision()).as("the transaction was refused as compacted").isEqualTo(3);
  }

  @Test
  void entriesThatTheCheckpointContainsAreSkipped() {
    log.call(log(put("a", "1")));
    log.machine.apply(log.entries.getFirst());
    log.machine.endBatch(1);
    assertThat(store.revision()).isEqualTo(2);
  }

  @Test
  void aGapInTheLogIsRefused() {
    assertThatThrownBy(() -> log.machine.apply(new Entry(1, 2, EntryType.NORMAL, 0, new byte[0]))).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void revokingALeaseDeletesItsKeysInOneRevisionByKey() {
    log.grant(7);
    log.call(log(put("b", "2").setLease(7)));
    log.call(log(put("a", "1").setLease(7)));
    LeaseRevokeResponse response = log.call(LogRequest.newBuilder().setLeaseRevoke(LeaseRevokeRequest.newBuilder().setID(7)));
    assertThat(response.getHeader().getRevision()).isEqualTo(4);
    assertThat(log.leases.contains(7)).isFalse();
    try (ReadView view = store.view()) {
      assertThat(view.get("a".getBytes())).isNull();
      assertThat(view.get("b".getBytes())).isNull();
    }
    assertRefused(() -> log.call(LogRequest.newBuilder().setLeaseRevoke(LeaseRevokeRequest.newBuilder().setID(7))), EtcdError.LEASE_NOT_FOUND);
  }

  @Test
  void revokingALeaseWithoutKeysDoesNotAdvanceTheRevision() {
    log.grant(7);
    LeaseRevokeResponse response = log.call(LogRequest.newBuilder().setLeaseRevoke(LeaseRevokeRequest.newBuilder().setID(7)));
    assertThat(response.getHeader().getRevision()).isEqualTo(1);
  }

  @Test
  void aMembershipChangeAnswersItsCallerWithAcceptanceOrTheRefusal() {
    DirectLog.Answer<ResponseHeader> added = new DirectLog.Answer<>();
    log.proposeMembership(MembershipChange.Kind.ADD_VOTER, 5, MemberContext.newBuilder(), added);
    assertThat(added.get().getRevision()).isEqualTo(1);
    DirectLog.Answer<ResponseHeader> removed = new DirectLog.Answer<>();
    log.proposeMembership(MembershipChange.Kind.REMOVE, 6, MemberContext.newBuilder(), removed);
    assertRefused(removed::get, EtcdError.MEMBER_NOT_FOUND);
  }

  @Test
  void aRequestThatOnlyANewerVersionKnowsStopsTheMember() {
    LogRequest unknown =
        LogRequest.newBuilder().setUnknownFields(UnknownFieldSet.newBuilder().addField(2001, UnknownFieldSet.Field.newBuilder().addVarint(1).build()).build()).build();
    assertThatThrownBy(() -> log.apply(unknown.toByteArray())).isInstanceOf(EntryException.class).hasMessageContaining("2001");
    assertThatThrownBy(() -> new DirectLog(new ModelStore()).apply(new byte[] {1})).isInstanceOf(EntryException.class);
  }

  @Test
  void aFeatureLevelAboveTheSupportedOneStopsTheMember() {
    LogRequest.Builder known = LogRequest.newBuilder().setFeatureLevelSet(FeatureLevelSetRequest.newBuilder().setLevel(FeatureLevel.SUPPORTED));
    log.call(known);
    LogRequest.Builder newer = LogRequest.newBuilder().setFeatureLevelSet(FeatureLevelSetRequest.newBuilder().setLevel(FeatureLevel.SUPPORTED + 1));
    assertThatThrownBy(() -> log.apply(newer.build().toByteArray())).isInstanceOf(EntryException.class);
  }

  @Test
  void whatEtcdHasNoResponseForIsAnsweredByAHeader() {
    ResponseHeader header = log.call(LogRequest.newBuilder().setClusterVersionSet(ClusterVersionSetRequest.newBuilder().setVer("3.6.0")));
    assertThat(header.getRevision()).isEqualTo(1);
    assertThat(log.machine.state().getClusterVersion()).isEqualTo("3.6.0");
  }

  @Test
  void aTransactionNestedAsDeepAsTheGrpcParserAllowsCanBeApplied() throws IOException {
    TxnRequest txn = TxnRequest.newBuilder().addSuccess(Requests.op(put("a", "1"))).build();
    for (int depth = 0; depth < 48; depth++) {
      txn = TxnRequest.newBuilder().addSuccess(RequestOp.newBuilder().setRequestTxn(txn)).build();
    }
    log.call(log(TxnRequest.parseFrom(txn.toByteArray()).toBuilder()));
    assertThat(store.revision()).isEqualTo(2);
  }

  @Test
  void aCheckpointIsWantedAt64MiBOfLogOrWhenTheStoreSaysSo() {
    assertThat(log.machine.wantsCheckpoint((64L << 20) - 1)).isFalse();
    assertThat(log.machine.wantsCheckpoint(64L << 20)).isTrue();
    store.wantsCheckpoint = true;
    assertThat(log.machine.wantsCheckpoint(0)).isTrue();
  }

  @Test
  void aCheckpointCarriesEveryPartAndARestartResumesBehindIt() throws IOException {
    log.grant(7);
    log.call(log(put("a", "1").setLease(7)));
    raise(AlarmType.CORRUPT, 9);
    SnapshotMeta position = new SnapshotMeta(3, 1, Membership.EMPTY);
    assertThat(log.machine.checkpoint(position)).isSameAs(position);
    MvccStore.Checkpoint kept = store.checkpoint();
    assertThat(kept.index()).isEqualTo(3);
    DirectLog restarted = new DirectLog(store);
    assertThat(restarted.machine.appliedIndex()).isEqualTo(3);
    assertThat(restarted.leases.keysOf(7)).hasSize(1);
    assertThat(restarted.alarms.active()).hasSize(1);
    assertThat(restarted.machine.state()).isEqualTo(log.machine.state());
  }

  private AlarmResponse raise(AlarmType type, long member) {
    return log.call(alarm(AlarmAction.ACTIVATE, type, member));
  }

  private static LogRequest.Builder alarm(AlarmAction action, AlarmType type, long member) {
    return LogRequest.newBuilder().setAlarm(AlarmRequest.newBuilder().setAction(action).setAlarm(type).setMemberID(member));
  }

  @Nested
  class AlarmRules {
    @Test
    void listsByTypeOrAll() {
      raise(AlarmType.NOSPACE, 2);
      raise(AlarmType.NOSPACE, 1);
      raise(AlarmType.CORRUPT, 1);
      AlarmResponse all = log.call(alarm(AlarmAction.GET, AlarmType.NONE, 0));
      assertThat(all.getAlarmsList())
          .containsExactly(member(1, AlarmType.NOSPACE), member(2, AlarmType.NOSPACE), member(1, AlarmType.CORRUPT));
      AlarmResponse corrupt = log.call(alarm(AlarmAction.GET, AlarmType.CORRUPT, 0));
      assertThat(corrupt.getAlarmsList()).containsExactly(member(1, AlarmType.CORRUPT));
    }

    private AlarmMember member(long id, AlarmType type) {
      return AlarmMember.newBuilder().setMemberID(id).setAlarm(type).build();
    }

    @Test
    void activatingReturnsTheAlarmEachTimeAndNoneIsNothing() {
      assertThat(raise(AlarmType.NOSPACE, 1).getAlarmsList()).containsExactly(member(1, AlarmType.NOSPACE));
      assertThat(raise(AlarmType.NOSPACE, 1).getAlarmsList()).containsExactly(member(1, AlarmType.NOSPACE));
      assertThat(raise(AlarmType.NONE, 1).getAlarmsList()).isEmpty();
      assertThat(log.alarms.active()).hasSize(1);
    }

    @Test
    void deactivatingNeedsTheRightMember() {
      raise(AlarmType.NOSPACE, 1);
      AlarmResponse wrong = log.call(alarm(AlarmAction.DEACTIVATE, AlarmType.NOSPACE, 0));
      assertThat(wrong.getAlarmsList()).isEmpty();
      AlarmResponse right = log.call(alarm(AlarmAction.DEACTIVATE, AlarmType.NOSPACE, 1));
      assertThat(right.getAlarmsList()).containsExactly(member(1, AlarmType.NOSPACE));
      assertThat(log.alarms.active()).isEmpty();
    }

    @Test
    void noSpaceRefusesWhatAddsDataAndAllowsTheRest() {
      log.grant(7);
      log.call(log(put("a", "1")));
      raise(AlarmType.NOSPACE, 1);
      assertRefused(() -> log.call(log(put("a", "2"))), EtcdError.NO_SPACE);
      assertRefused(() -> log.grant(8), EtcdError.NO_SPACE);
      TxnRequest.Builder putInTheOtherBranch = TxnRequest.newBuilder().addFailure(Requests.op(put("b", "1")));
      assertRefused(() -> log.call(log(putInTheOtherBranch)), EtcdError.NO_SPACE);
      TxnRequest.Builder nestedPut = TxnRequest.newBuilder().addSuccess(RequestOp.newBuilder().setRequestTxn(putInTheOtherBranch));
      assertRefused(() -> log.call(log(nestedPut)), EtcdError.NO_SPACE);
      log.call(log(TxnRequest.newBuilder().addSuccess(Requests.op(delete("a")))));
      log.call(log(delete("a")));
      log.call(compaction(2));
      log.call(LogRequest.newBuilder().setLeaseRevoke(LeaseRevokeRequest.newBuilder().setID(7)));
    }

    @Test
    void corruptRefusesWhateverTouchesDataAndIsStrongerThanNoSpace() {
      log.grant(7);
      raise(AlarmType.NOSPACE, 1);
      raise(AlarmType.CORRUPT, 1);
      List<LogRequest.Builder> refused =
          List.of(
              log(put("a", "1")),
              log(delete("a")),
              log(TxnRequest.newBuilder()),
              compaction(1),
              LogRequest.newBuilder().setLeaseGrant(LeaseGrantRequest.newBuilder().setID(8).setTTL(5)),
              LogRequest.newBuilder().setLeaseRevoke(LeaseRevokeRequest.newBuilder().setID(7)));
      for (LogRequest.Builder request : refused) {
        assertRefused(() -> log.call(request), EtcdError.CORRUPT_CLUSTER);
      }
      AlarmResponse listed = log.call(alarm(AlarmAction.GET, AlarmType.NONE, 0));
      assertThat(listed.getAlarmsList()).hasSize(2);
    }
  }
}
