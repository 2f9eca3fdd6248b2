package io.kvorum.server.kv;

import static io.kvorum.server.apply.Requests.bytes;
import static io.kvorum.server.apply.Requests.delete;
import static io.kvorum.server.apply.Requests.op;
import static io.kvorum.server.apply.Requests.otherwise;
import static io.kvorum.server.apply.Requests.put;
import static io.kvorum.server.apply.Requests.range;
import static io.kvorum.server.apply.Requests.then;
import static io.kvorum.server.apply.Requests.version;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.CompactionResponse;
import io.kvorum.protocol.etcdserverpb.Compare.CompareResult;
import io.kvorum.protocol.etcdserverpb.DeleteRangeResponse;
import io.kvorum.protocol.etcdserverpb.PutResponse;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.TxnResponse;
import io.kvorum.protocol.mvccpb.KeyValue;
import io.kvorum.raft.Role;
import io.kvorum.server.apply.ModelStore;
import io.kvorum.server.base.EtcdError;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The service over real gRPC on loopback. */
class KvServiceTest {
  private MvccStore store;
  private KvServer server;

  MvccStore openStore() throws IOException {
    return new ModelStore();
  }

  @BeforeEach
  void start() throws IOException {
    store = openStore();
    server = new KvServer(store);
  }

  @AfterEach
  void stop() {
    server.close();
    store.close();
    if (store instanceof ModelStore model) {
      assertThat(model.leakedViews()).as("every view was closed").isZero();
    }
  }

  private static ResponseHeader header(long revision) {
    return ResponseHeader.newBuilder().setClusterId(KvServer.CLUSTER).setMemberId(KvServer.MEMBER).setRaftTerm(3).setRevision(revision).build();
  }

  private static void assertRefused(Runnable call, EtcdError error) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode()).isEqualTo(error.status().getCode());
              assertThat(e.getStatus().getDescription()).isEqualTo(error.text());
            });
  }

  @Test
  void aRangeOfAnEmptyStoreHasAHeaderAndNothingElse() {
    assertThat(server.kv().range(range("a").build())).isEqualTo(RangeResponse.newBuilder().setHeader(header(1)).build());
  }

  @Test
  void aRangeAnswersWithTheStoredPairs() {
    server.kv().put(put("a", "1").build());
    PutResponse response = server.kv().put(put("a", "2").setPrevKv(true).build());
    assertThat(response.getHeader()).isEqualTo(header(3));
    KeyValue first = KeyValue.newBuilder().setKey(bytes("a")).setValue(bytes("1")).setCreateRevision(2).setModRevision(2).setVersion(1).build();
    KeyValue second = KeyValue.newBuilder().setKey(bytes("a")).setValue(bytes("2")).setCreateRevision(2).setModRevision(3).setVersion(2).build();
    assertThat(response.getPrevKv()).isEqualTo(first);
    assertThat(server.kv().range(range("a").build())).isEqualTo(RangeResponse.newBuilder().setHeader(header(3)).setCount(1).addKvs(second).build());
    assertThat(server.kv().range(range("a").setRevision(2).build())).isEqualTo(RangeResponse.newBuilder().setHeader(header(3)).setCount(1).addKvs(first).build());
  }

  @Test
  void manyPairsWithLimitCountAndMore() {
    for (int i = 0; i < 300; i++) {
      server.kv().put(put("k%03d".formatted(i), "v".repeat(i)).build());
    }
    RangeResponse response = server.kv().range(range("k", "l").setLimit(299).build());
    assertThat(response.getKvsCount()).isEqualTo(299);
    assertThat(response.getCount()).isEqualTo(300);
    assertThat(response.getMore()).isTrue();
    for (int i = 0; i < 299; i++) {
      assertThat(response.getKvs(i).getValue().size()).isEqualTo(i);
    }
    RangeResponse counted = server.kv().range(range("k", "l").setCountOnly(true).setLimit(1).build());
    assertThat(counted).isEqualTo(RangeResponse.newBuilder().setHeader(header(301)).setCount(300).build());
  }

  @Test
  void keysOnlyBlanksTheValues() {
    server.kv().put(put("a", "1").build());
    RangeResponse response = server.kv().range(range("a").setKeysOnly(true).build());
    assertThat(response.getKvs(0)).isEqualTo(KeyValue.newBuilder().setKey(bytes("a")).setCreateRevision(2).setModRevision(2).setVersion(1).build());
  }

  @Test
  void largeValuesPassInOnePiece() {
    ByteString large = ByteString.copyFrom(new byte[1_500_000]);
    server.kv().put(put("a", "").setValue(large).build());
    assertThat(server.kv().range(range("a").build()).getKvs(0).getValue()).isEqualTo(large);
  }

  @Test
  void revisionsOutsideOfTheHistoryAreRefused() {
    server.kv().put(put("a", "1").build());
    server.kv().put(put("a", "2").build());
    assertRefused(() -> server.kv().range(range("a").setRevision(4).build()), EtcdError.FUTURE_REVISION);
    CompactionResponse compacted = server.kv().compact(CompactionRequest.newBuilder().setRevision(3).setPhysical(true).build());
    assertThat(compacted.getHeader()).isEqualTo(header(3));
    assertRefused(() -> server.kv().range(range("a").setRevision(2).build()), EtcdError.COMPACTED);
    assertThat(server.kv().range(range("a").setRevision(3).build()).getCount()).isEqualTo(1);
    assertRefused(() -> server.kv().compact(CompactionRequest.newBuilder().setRevision(3).build()), EtcdError.COMPACTED);
  }

  @Test
  void aSerializableReadOnAFollowerWaitsForARevisionThatIsOnItsWay() throws Exception {
    server.status = KvServer.status(Role.FOLLOWER, 6, List.of(5L, 6L), List.of());
    CompletableFuture<RangeResponse> read =
        CompletableFuture.supplyAsync(() -> server.kv().range(range("a").setRevision(2).setSerializable(true).build()));
    while (server.waits.size() == 0 && !read.isDone()) {
      Thread.onSpinWait();
    }
    server.kv().put(put("a", "1").build());
    assertThat(read.get(30, TimeUnit.SECONDS).getKvs(0).getValue()).isEqualTo(bytes("1"));
    assertRefused(() -> server.kv().range(range("a").setRevision(9).setSerializable(true).build()), EtcdError.FUTURE_REVISION);
  }

  @Test
  void onlyLinearizableReadsTakeAReadIndex() {
    server.kv().range(range("a").setSerializable(true).build());
    assertThat(server.indexReads).hasValue(0);
    server.kv().range(range("a").build());
    assertThat(server.indexReads).hasValue(1);
  }

  @Test
  void deletingReturnsTheCount() {
    server.kv().put(put("a", "1").build());
    DeleteRangeResponse response = server.kv().deleteRange(delete("a").build());
    assertThat(response).isEqualTo(DeleteRangeResponse.newBuilder().setHeader(header(3)).setDeleted(1).build());
  }

  @Test
  void aReadOnlyTransactionTakesAReadIndexAndNoEntry() {
    server.kv().put(put("a", "1").build());
    int entries = server.log.entries.size();
    TxnResponse response = server.kv().txn(then(op(range("a"))).addCompare(version("a", CompareResult.EQUAL, 1)).build());
    assertThat(response.getHeader()).isEqualTo(header(2));
    assertThat(response.getSucceeded()).isTrue();
    assertThat(response.getResponses(0).getResponseRange().getHeader()).isEqualTo(ResponseHeader.newBuilder().setRevision(2).build());
    assertThat(response.getResponses(0).getResponseRange().getKvs(0).getValue()).isEqualTo(bytes("1"));
    server.kv().txn(TxnRequest.getDefaultInstance());
    server.kv().txn(then(op(then(op(range("a").setSerializable(true)), op(range("b", "c"))))).build());
    assertThat(server.indexReads).hasValue(3);
    server.kv().txn(otherwise(then(op(range("a").setSerializable(true))), op(range("b").setSerializable(true))).build());
    assertThat(server.indexReads).hasValue(3);
    assertThat(server.log.entries).hasSize(entries);
  }

  @Test
  void aWriteTransactionGoesThroughTheLogAndCarriesAFullHeader() {
    TxnResponse response = server.kv().txn(then(op(put("a", "1")), op(range("a"))).build());
    assertThat(response.getHeader()).isEqualTo(header(2));
    assertThat(response.getResponses(1).getResponseRange().getCount()).isEqualTo(1);
  }

  @Test
  void whatTheChecksRefuseNeverReachesTheLog() {
    assertRefused(() -> server.kv().put(put("", "1").build()), EtcdError.EMPTY_KEY);
    assertRefused(() -> server.kv().put(put("a", "1").setIgnoreValue(true).build()), EtcdError.VALUE_IS_PROVIDED);
    assertRefused(() -> server.kv().deleteRange(delete("").build()), EtcdError.EMPTY_KEY);
    assertRefused(() -> server.kv().range(range("").build()), EtcdError.EMPTY_KEY);
    assertRefused(() -> server.kv().range(range("a").setSortOrderValue(9).build()), EtcdError.INVALID_SORT_OPTION);
    assertRefused(() -> server.kv().txn(then(op(put("a", "1")), op(put("a", "2"))).build()), EtcdError.DUPLICATE_KEY);
    assertThat(server.log.entries).isEmpty();
  }

  @Test
  void applyRefusalsArriveWithEtcdsCodes() {
    assertRefused(() -> server.kv().put(put("a", "1").setLease(9).build()), EtcdError.LEASE_NOT_FOUND);
    assertRefused(() -> server.kv().put(put("a", "").setIgnoreValue(true).build()), EtcdError.KEY_NOT_FOUND);
  }

  @Test
  void aLearnerAnswersSerializableRangesAlone() {
    server.status = KvServer.status(Role.FOLLOWER, 6, List.of(6L), List.of(KvServer.MEMBER));
    assertThat(server.kv().range(range("a").setSerializable(true).build()).getCount()).isZero();
    assertRefused(() -> server.kv().range(range("a").build()), EtcdError.NOT_SUPPORTED_FOR_LEARNER);
    assertRefused(() -> server.kv().put(put("a", "1").build()), EtcdError.NOT_SUPPORTED_FOR_LEARNER);
  }

  @Test
  void aSortedRangeIsWrittenInThatOrder() {
    server.kv().put(put("a", "2").build());
    server.kv().put(put("b", "1").build());
    RangeResponse response =
        server.kv().range(range("a", "z").setSortTarget(RangeRequest.SortTarget.VALUE).setSortOrder(RangeRequest.SortOrder.ASCEND).setLimit(1).build());
    assertThat(response.getKvsList()).extracting(KeyValue::getKey).containsExactly(bytes("b"));
    assertThat(response.getMore()).isTrue();
  }
}
