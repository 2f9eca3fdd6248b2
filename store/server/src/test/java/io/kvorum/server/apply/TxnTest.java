package io.kvorum.server.apply;

import static io.kvorum.server.apply.Requests.bytes;
import static io.kvorum.server.apply.Requests.compaction;
import static io.kvorum.server.apply.Requests.delete;
import static io.kvorum.server.apply.Requests.log;
import static io.kvorum.server.apply.Requests.op;
import static io.kvorum.server.apply.Requests.otherwise;
import static io.kvorum.server.apply.Requests.put;
import static io.kvorum.server.apply.Requests.range;
import static io.kvorum.server.apply.Requests.then;
import static io.kvorum.server.apply.Requests.version;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.Compare.CompareResult;
import io.kvorum.protocol.etcdserverpb.Compare.CompareTarget;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.ResponseOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.TxnResponse;
import io.kvorum.server.base.EtcdError;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class TxnTest {
  private final ModelStore store = new ModelStore();
  private final DirectLog log = new DirectLog(store);

  private TxnResponse txn(TxnRequest.Builder request) {
    return log.call(log(request));
  }

  private static ResponseHeader header(long revision) {
    return ResponseHeader.newBuilder().setRevision(revision).build();
  }

  private void assertRefused(TxnRequest.Builder request, EtcdError error) {
    long before = store.revision();
    assertThatThrownBy(() -> txn(request)).isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(e.getStatus()).isSameAs(error.status()));
    assertThat(store.revision()).as("nothing was applied").isEqualTo(before);
  }

  private static Compare.Builder compare(String key, CompareTarget target, CompareResult result) {
    return Compare.newBuilder().setKey(bytes(key)).setTarget(target).setResult(result);
  }

  static Stream<Arguments> comparisons() {
    CompareResult equal = CompareResult.EQUAL;
    return Stream.of(
        arguments("an empty list holds", TxnRequest.newBuilder(), true),
        arguments("version of a present key", then().addCompare(version("a", equal, 2)), true),
        arguments("version greater", then().addCompare(version("a", CompareResult.GREATER, 1)), true),
        arguments("version not greater than itself", then().addCompare(version("a", CompareResult.GREATER, 2)), false),
        arguments("version less", then().addCompare(version("a", CompareResult.LESS, 3)), true),
        arguments("version not equal", then().addCompare(version("a", CompareResult.NOT_EQUAL, 2)), false),
        arguments("version of a missing key is 0", then().addCompare(version("x", equal, 0)), true),
        arguments("create revision", then().addCompare(compare("a", CompareTarget.CREATE, equal).setCreateRevision(2)), true),
        arguments("mod revision", then().addCompare(compare("a", CompareTarget.MOD, equal).setModRevision(3)), true),
        arguments("mod revision of a missing key is below 1", then().addCompare(compare("x", CompareTarget.MOD, CompareResult.LESS).setModRevision(1)), true),
        arguments("lease", then().addCompare(compare("b", CompareTarget.LEASE, equal).setLease(7)), true),
        arguments("value", then().addCompare(compare("a", CompareTarget.VALUE, equal).setValue(bytes("2"))), true),
        arguments("value in byte order", then().addCompare(compare("a", CompareTarget.VALUE, CompareResult.LESS).setValue(bytes("2x"))), true),
        arguments("value of a missing key, EQUAL", then().addCompare(compare("x", CompareTarget.VALUE, equal).setValue(bytes(""))), false),
        arguments("value of a missing key, NOT_EQUAL", then().addCompare(compare("x", CompareTarget.VALUE, CompareResult.NOT_EQUAL).setValue(bytes("1"))), false),
        arguments("value of a missing key, GREATER", then().addCompare(compare("x", CompareTarget.VALUE, CompareResult.GREATER)), false),
        arguments("value of a missing key, LESS", then().addCompare(compare("x", CompareTarget.VALUE, CompareResult.LESS).setValue(bytes("1"))), false),
        arguments("no operand is 0", then().addCompare(compare("x", CompareTarget.VERSION, equal)), true),
        arguments("no value operand is empty", then().addCompare(compare("c", CompareTarget.VALUE, equal)), true),
        arguments("a mismatching operand is 0", then().addCompare(compare("a", CompareTarget.VERSION, equal).setModRevision(2)), false),
        arguments("an unknown result holds", then().addCompare(version("a", equal, 9).setResultValue(9)), true),
        arguments("an unknown target compares as equal", then().addCompare(compare("a", CompareTarget.VERSION, equal).setTargetValue(9)), true),
        arguments("an unknown target is not greater", then().addCompare(compare("x", CompareTarget.VERSION, CompareResult.GREATER).setTargetValue(9)), false),
        arguments("a range must hold for every key", then().addCompare(version("a", CompareResult.GREATER, 0).setRangeEnd(bytes("z"))), true),
        arguments("and fails by one", then().addCompare(version("a", equal, 2).setRangeEnd(bytes("z"))), false),
        arguments("an empty range is one missing key", then().addCompare(version("x", equal, 0).setRangeEnd(bytes("z"))), true),
        arguments("with a value it never holds", then().addCompare(compare("x", CompareTarget.VALUE, CompareResult.NOT_EQUAL).setRangeEnd(bytes("z"))), false),
        arguments("a range to the end", then().addCompare(version("b", equal, 1).setRangeEnd(bytes("\0"))), true),
        arguments("all comparisons must hold", then().addCompare(version("a", equal, 2)).addCompare(version("a", equal, 1)), false));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("comparisons")
  void comparison(String rule, TxnRequest.Builder request, boolean expected) {
    log.grant(7);
    log.call(log(put("a", "1")));
    log.call(log(put("a", "2")));
    log.call(log(put("b", "1").setLease(7)));
    log.call(log(put("c", "")));
    assertThat(txn(request).getSucceeded()).as(rule).isEqualTo(expected);
  }

  @Test
  void failedComparisonsWithoutFailureOperationsChangeNothing() {
    TxnResponse response = txn(then(op(put("a", "1"))).addCompare(version("a", CompareResult.EQUAL, 1)));
    assertThat(response).isEqualTo(TxnResponse.newBuilder().setHeader(header(1)).build());
  }

  @Test
  void allWritesShareOneRevisionWithAscendingSubRevisions() {
    TxnResponse response = txn(then(op(put("a", "1")), op(then(op(put("b", "1")))), op(put("c", "1"))));
    assertThat(response.getHeader()).isEqualTo(header(2));
    assertThat(store.revision()).isEqualTo(2);
    try (var view = store.view()) {
      assertThat(view.get(bytes("a").toByteArray()).sub()).isZero();
      assertThat(view.get(bytes("b").toByteArray()).sub()).isEqualTo(1);
      assertThat(view.get(bytes("c").toByteArray()).sub()).isEqualTo(2);
    }
  }

  @Test
  void rangesSeeEarlierWritesAndTheirHeadersTellWhen() {
    TxnResponse response = txn(then(op(range("a")), op(put("a", "1")), op(range("a"))));
    assertThat(response.getResponses(0).getResponseRange().getHeader()).isEqualTo(header(1));
    assertThat(response.getResponses(0).getResponseRange().getCount()).isZero();
    assertThat(response.getResponses(1).getResponsePut().getHeader()).isEqualTo(header(2));
    assertThat(response.getResponses(2).getResponseRange().getHeader()).isEqualTo(header(2));
    assertThat(response.getResponses(2).getResponseRange().getKvs(0).getModRevision()).isEqualTo(2);
  }

  /** Which etcd's check of duplicate keys does not see either: then they run one after the other. */
  @Test
  void anOpenEndedDeletionAndAPutBehindItRunInTheirOrder() {
    log.call(log(put("b", "0")));
    TxnResponse response = txn(then(op(delete("a", "\0")), op(put("b", "1")), op(delete("\0", "\0")), op(put("c", "2"))));
    assertThat(response.getResponses(0).getResponseDeleteRange().getDeleted()).isEqualTo(1);
    assertThat(response.getResponses(2).getResponseDeleteRange().getDeleted()).isEqualTo(1);
    try (var view = store.view()) {
      assertThat(view.get(bytes("b").toByteArray())).isNull();
      assertThat(view.get(bytes("c").toByteArray()).version()).isEqualTo(1);
    }
  }

  @Test
  void aDeletionOfNothingCarriesTheRevisionSoFar() {
    TxnResponse response = txn(then(op(delete("x")), op(put("a", "1")), op(delete("x"))));
    assertThat(response.getResponses(0).getResponseDeleteRange().getHeader()).isEqualTo(header(1));
    assertThat(response.getResponses(2).getResponseDeleteRange().getHeader()).isEqualTo(header(2));
  }

  @Test
  void aNestedTransactionHasAnEmptyHeader() {
    TxnResponse response = txn(then(op(then(op(put("a", "1"))))));
    assertThat(response.getResponses(0).getResponseTxn().hasHeader()).isTrue();
    assertThat(response.getResponses(0).getResponseTxn().getHeader()).isEqualTo(ResponseHeader.getDefaultInstance());
    assertThat(response.getResponses(0).getResponseTxn().getResponses(0).getResponsePut().getHeader()).isEqualTo(header(2));
  }

  @Test
  void nestedComparisonsSeeTheStateBeforeTheTransaction() {
    TxnRequest.Builder nested = then(op(put("b", "seen"))).addCompare(version("a", CompareResult.EQUAL, 1));
    TxnResponse response = txn(then(op(put("a", "1")), op(otherwise(nested, op(put("b", "unseen"))))));
    assertThat(response.getResponses(1).getResponseTxn().getSucceeded()).isFalse();
  }

  @Test
  void responsesHaveOneEntryForEachOperationOfTheTakenBranch() {
    TxnResponse response =
        txn(otherwise(then(op(range("a"))), op(put("a", "1")), op(delete("x")), op(range("a")), op(then())).addCompare(version("a", CompareResult.EQUAL, 1)));
    assertThat(response.getResponsesList())
        .extracting(ResponseOp::getResponseCase)
        .containsExactly(
            ResponseOp.ResponseCase.RESPONSE_PUT,
            ResponseOp.ResponseCase.RESPONSE_DELETE_RANGE,
            ResponseOp.ResponseCase.RESPONSE_RANGE,
            ResponseOp.ResponseCase.RESPONSE_TXN);
  }

  @Test
  void previousPairsInsideOfATransactionAreThoseJustBeforeTheOperation() {
    log.call(log(put("a", "1")));
    TxnResponse response = txn(then(op(put("a", "2").setPrevKv(true)), op(delete("b").setPrevKv(true)), op(delete("z", "zz").setPrevKv(true))));
    assertThat(response.getResponses(0).getResponsePut().getPrevKv().getValue()).isEqualTo(bytes("1"));
    assertThat(response.getResponses(1).getResponseDeleteRange().getPrevKvsList()).isEmpty();
  }

  @Test
  void theWholeTransactionIsRefusedForOneLeaseThatDoesNotExist() {
    assertRefused(then(op(put("a", "1")), op(put("b", "1").setLease(9))), EtcdError.LEASE_NOT_FOUND);
  }

  @Test
  void insideATransactionTheMissingKeyComesBeforeTheMissingLease() {
    assertRefused(then(op(put("a", "").setIgnoreValue(true).setLease(9))), EtcdError.KEY_NOT_FOUND);
    assertThatThrownBy(() -> log.call(log(put("a", "").setIgnoreValue(true).setLease(9))))
        .isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(e.getStatus()).isSameAs(EtcdError.LEASE_NOT_FOUND.status()));
  }

  @Test
  void aKeyPutEarlierInTheTransactionDoesNotSatisfyIgnoreValue() {
    assertRefused(then(op(then(op(put("a", "1")))), op(then(op(put("b", "").setIgnoreValue(true))))), EtcdError.KEY_NOT_FOUND);
  }

  @Test
  void operationsAreValidatedInTheirOrderNestedOnesInTheirPlace() {
    RequestOp.Builder future = op(range("a").setRevision(99));
    RequestOp.Builder missingLease = op(put("a", "1").setLease(9));
    RequestOp.Builder missingKey = op(put("b", "").setIgnoreValue(true));
    assertRefused(then(future, missingLease), EtcdError.FUTURE_REVISION);
    assertRefused(then(missingLease, future), EtcdError.LEASE_NOT_FOUND);
    assertRefused(then(op(then(future)), missingLease), EtcdError.FUTURE_REVISION);
    assertRefused(then(op(then(missingKey)), future, missingLease), EtcdError.KEY_NOT_FOUND);
  }

  @Test
  void theBranchNotTakenIsNotValidated() {
    TxnResponse response = txn(otherwise(then(op(put("a", "1"))), op(put("b", "1").setLease(9)), op(range("a").setRevision(99))));
    assertThat(response.getSucceeded()).isTrue();
  }

  @Test
  void nestedOperationsOnTheTakenPathAreValidated() {
    assertRefused(then(op(put("a", "1")), op(then(op(then(op(range("a").setRevision(99))))))), EtcdError.FUTURE_REVISION);
    assertRefused(then(op(put("a", "1")), op(then(op(then(op(put("b", "1").setLease(9))))))), EtcdError.LEASE_NOT_FOUND);
  }

  @Test
  void theRevisionThatTheTransactionWillGetIsStillInTheFuture() {
    assertRefused(then(op(put("a", "1")), op(range("a").setRevision(2))), EtcdError.FUTURE_REVISION);
  }

  @Test
  void aRangeAtAnExplicitRevisionReadsThatState() {
    log.call(log(put("a", "1")));
    log.call(log(put("a", "2")));
    TxnResponse response = txn(then(op(put("a", "3")), op(range("a").setRevision(2)), op(range("a").setRevision(3)), op(range("a"))));
    assertThat(response.getResponsesList().stream().skip(1).map(r -> r.getResponseRange().getKvs(0).getValue().toStringUtf8())).containsExactly("1", "2", "3");
  }

  @Test
  void aCompactedOrNegativeRevisionIsRefusedInside() {
    log.call(log(put("a", "1")));
    log.call(log(put("a", "2")));
    log.call(compaction(3));
    assertRefused(then(op(put("b", "1")), op(range("a").setRevision(2))), EtcdError.COMPACTED);
    assertRefused(then(op(put("b", "1")), op(range("a").setRevision(-1))), EtcdError.COMPACTED);
    assertThat(txn(then(op(put("b", "1")), op(range("a").setRevision(3)))).getSucceeded()).isTrue();
  }

  @Test
  void ignoreValueAndIgnoreLeaseKeepWhatTheKeyHas() {
    log.grant(7);
    log.call(log(put("a", "1").setLease(7)));
    log.call(log(put("a", "").setIgnoreValue(true).setIgnoreLease(true)));
    TxnResponse kept = txn(then(op(range("a"))));
    assertThat(kept.getResponses(0).getResponseRange().getKvs(0)).satisfies(kv -> assertThat(kv.getValue()).isEqualTo(bytes("1")));
    assertThat(kept.getResponses(0).getResponseRange().getKvs(0).getLease()).isEqualTo(7);
    log.call(log(put("a", "").setIgnoreValue(true)));
    assertThat(log.leases.keysOf(7)).as("without ignore_lease, lease 0 detaches").isEmpty();
  }

  @Test
  void aKeyDeletedByAnOpenEndedDeletionInTheSameTransactionKeepsItsFormerValue() {
    log.call(log(put("b", "kept")));
    TxnResponse response = txn(then(op(delete("a", "\0")), op(put("b", "").setIgnoreValue(true)), op(range("b"))));
    assertThat(response.getResponses(2).getResponseRange().getKvs(0).getValue()).isEqualTo(bytes("kept"));
    assertThat(response.getResponses(2).getResponseRange().getKvs(0).getVersion()).as("a new life").isEqualTo(1);
  }

  @Test
  void aNestedPutFollowedByASiblingsDeletionIsBothInOneRevision() {
    TxnResponse response = txn(then(op(then(op(put("a", "1")))), op(then(op(delete("a"))))));
    assertThat(response.getResponses(1).getResponseTxn().getResponses(0).getResponseDeleteRange().getDeleted()).isEqualTo(1);
    assertThat(store.revision()).isEqualTo(2);
    try (var view = store.view()) {
      assertThat(view.get(bytes("a").toByteArray())).isNull();
    }
  }
}
