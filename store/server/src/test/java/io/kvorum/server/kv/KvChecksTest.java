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
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.kvorum.protocol.etcdserverpb.Compare.CompareResult;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.server.base.EtcdError;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class KvChecksTest {
  private static final String ZERO = "\0";

  static Stream<Arguments> singleRequests() {
    return Stream.of(
        arguments("a range needs a key", KvChecks.range(range("").build()), EtcdError.EMPTY_KEY),
        arguments("a range takes any key", KvChecks.range(range("a").build()), null),
        arguments("an unknown sort order is refused", KvChecks.range(range("a").setSortOrderValue(3).build()), EtcdError.INVALID_SORT_OPTION),
        arguments("an unknown sort target is refused", KvChecks.range(range("a").setSortTargetValue(5).build()), EtcdError.INVALID_SORT_OPTION),
        arguments("the empty key comes before the sort option", KvChecks.range(range("").setSortOrderValue(3).build()), EtcdError.EMPTY_KEY),
        arguments("a put needs a key", KvChecks.put(put("", "1").setIgnoreValue(true).build()), EtcdError.EMPTY_KEY),
        arguments("an empty value is a value", KvChecks.put(put("a", "").build()), null),
        arguments(
            "ignore_value excludes a value, and comes before the lease",
            KvChecks.put(put("a", "1").setIgnoreValue(true).setIgnoreLease(true).setLease(1).build()),
            EtcdError.VALUE_IS_PROVIDED),
        arguments("ignore_lease excludes a lease", KvChecks.put(put("a", "1").setIgnoreLease(true).setLease(1).build()), EtcdError.LEASE_IS_PROVIDED),
        arguments("ignore_value and ignore_lease together are fine", KvChecks.put(put("a", "").setIgnoreValue(true).setIgnoreLease(true).build()), null),
        arguments("a deletion needs a key", KvChecks.deleteRange(delete("", "z").build()), EtcdError.EMPTY_KEY));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("singleRequests")
  void single(String rule, EtcdError actual, EtcdError expected) {
    assertThat(actual).as(rule).isEqualTo(expected);
  }

  static Stream<Arguments> transactions() {
    return Stream.of(
        arguments("an empty one is fine", TxnRequest.newBuilder(), null),
        arguments("a comparison needs a key", TxnRequest.newBuilder().addCompare(version("", CompareResult.EQUAL, 0)), EtcdError.EMPTY_KEY),
        arguments("an operation without a request is a key that is not found", then(RequestOp.newBuilder()), EtcdError.KEY_NOT_FOUND),
        arguments("the branch not taken is checked too", otherwise(then(op(put("a", "1"))), op(put("", "1"))), EtcdError.EMPTY_KEY),
        arguments("nested ones are checked", then(op(then(op(range("a").setSortOrderValue(7))))), EtcdError.INVALID_SORT_OPTION),
        arguments("a put is checked as a single one is", then(op(put("a", "1").setIgnoreValue(true))), EtcdError.VALUE_IS_PROVIDED),
        arguments("comparisons are checked before operations", then(op(range("a").setSortOrderValue(7))).addCompare(version("", CompareResult.EQUAL, 0)), EtcdError.EMPTY_KEY),
        arguments("the first broken operation decides", then(RequestOp.newBuilder(), op(put("", "1"))), EtcdError.KEY_NOT_FOUND),
        arguments("operations are checked before duplicates", then(op(put("a", "1")), op(put("a", "2")), op(put("", "1"))), EtcdError.EMPTY_KEY),
        arguments("success may hold 128", ranges(128), null),
        arguments("success may not hold 129", ranges(129), EtcdError.TOO_MANY_TXN_OPERATIONS),
        arguments("failure may not hold 129", TxnRequest.newBuilder().addAllFailure(ranges(129).getSuccessList()), EtcdError.TOO_MANY_TXN_OPERATIONS),
        arguments("comparisons may not be 129", comparisons(129), EtcdError.TOO_MANY_TXN_OPERATIONS),
        arguments("each list counts for itself", comparisons(128).addAllSuccess(ranges(128).getSuccessList()), null),
        arguments("a nested one has what the longest list leaves", ranges(27).addSuccess(op(ranges(100))), null),
        arguments("and not one more", ranges(28).addSuccess(op(ranges(100))), EtcdError.TOO_MANY_TXN_OPERATIONS),
        arguments("comparisons take from the nested budget", comparisons(100).addSuccess(op(ranges(29))), EtcdError.TOO_MANY_TXN_OPERATIONS),
        arguments("the other branch takes from the nested budget", otherwise(then(op(ranges(29))), ops(100)), EtcdError.TOO_MANY_TXN_OPERATIONS),
        arguments("a third level has what both leave", ranges(60).addSuccess(op(ranges(60).addSuccess(op(ranges(6))))), null),
        arguments("and not one more at the third", ranges(60).addSuccess(op(ranges(60).addSuccess(op(ranges(7))))), EtcdError.TOO_MANY_TXN_OPERATIONS));
  }

  private static TxnRequest.Builder ranges(int count) {
    return then(ops(count));
  }

  private static RequestOp.Builder[] ops(int count) {
    return Stream.generate(() -> op(range("a"))).limit(count).toArray(RequestOp.Builder[]::new);
  }

  private static TxnRequest.Builder comparisons(int count) {
    TxnRequest.Builder txn = TxnRequest.newBuilder();
    for (int i = 0; i < count; i++) {
      txn.addCompare(version("a", CompareResult.EQUAL, 0));
    }
    return txn;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("transactions")
  void transaction(String rule, TxnRequest.Builder txn, EtcdError expected) {
    assertThat(KvChecks.txn(txn.build(), 128)).as(rule).isEqualTo(expected);
  }

  static Stream<Arguments> duplicates() {
    RequestOp.Builder putA = op(put("a", "1"));
    RequestOp.Builder putB = op(put("b", "1"));
    RequestOp.Builder deleteA = op(delete("a"));
    RequestOp.Builder deleteAToC = op(delete("a", "c"));
    RequestOp.Builder deleteFromA = op(delete("a", ZERO));
    return Stream.of(
        arguments("two keys are fine", then(putA, putB), false),
        arguments("two puts to one key", then(putA, putA), true),
        arguments("two puts to one key in the branch not taken", otherwise(then(), putA, putA), true),
        arguments("one put in each branch", otherwise(then(putA), putA), false),
        arguments("a put and a deletion of its key", then(putA, deleteA), true),
        arguments("a deletion and a put of its key", then(deleteA, putA), true),
        arguments("a put inside of a deleted range", then(putB, deleteAToC), true),
        arguments("a put at the exclusive end of a deleted range", then(op(put("c", "1")), deleteAToC), false),
        arguments("a put just behind a deleted key", then(op(put("a\0", "1")), deleteA), false),
        arguments("overlapping deletions", then(deleteA, deleteAToC, deleteAToC), false),
        arguments("ranges with anything", then(op(range("a", "z")), putA, op(range("a"))), false),
        arguments("a put behind an open-ended deletion is not recognised", then(deleteFromA, putB), false),
        arguments("nor at its first key", then(deleteFromA, putA), false),
        arguments("nor when everything is deleted", then(op(delete(ZERO, ZERO)), putA), false),
        arguments("an empty range deletes nothing", then(op(delete("c", "a")), putB), false),
        arguments("a nested put and one of the same key outside", then(op(then(putA)), putA), true),
        arguments("the same with the put listed first", then(putA, op(then(putA))), true),
        arguments("a put inside of a nested deletion", then(putB, op(then(deleteAToC))), true),
        arguments("a nested put inside of a deletion, listed later", then(op(then(putB)), deleteAToC), true),
        arguments("a nested put inside of a deletion, listed earlier", then(deleteAToC, op(then(putB))), true),
        arguments("both branches of one nested transaction", then(op(otherwise(then(putA), putA))), false),
        arguments("a put in one nested branch and a deletion in the other", then(op(otherwise(then(putA), deleteA))), false),
        arguments("two sibling transactions", then(op(then(putA)), op(then(putA))), true),
        arguments("two siblings in opposite branches", then(op(then(putA)), op(otherwise(then(), putA))), true),
        arguments("a third sibling repeats what both branches of the first put", then(op(otherwise(then(putA), putA)), op(then(putA))), true),
        arguments("a nested put after an earlier sibling's deletion", then(op(then(deleteA)), op(then(putA))), true),
        arguments("a nested put before a later sibling's deletion", then(op(then(putA)), op(then(deleteA))), false),
        arguments("a deletion two levels down and a put at the top", then(putA, op(then(op(then(deleteA))))), true),
        arguments("a put two levels down and a put at the top", then(putA, op(then(op(then(putA))))), true),
        arguments("a put two levels down under a deletion one level down", then(op(then(deleteAToC, op(then(putB))))), true),
        arguments("a put of the first nested branch, a deletion of the parent in the other", otherwise(then(op(then(putA))), deleteA), false),
        arguments("a failure put covered by an earlier sibling's deletion", then(op(then(deleteA)), op(otherwise(then(), putA))), true));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("duplicates")
  void duplicateKeys(String rule, TxnRequest.Builder txn, boolean refused) {
    assertThat(KvChecks.txn(txn.build(), 128)).as(rule).isEqualTo(refused ? EtcdError.DUPLICATE_KEY : null);
  }

  static Stream<Arguments> kinds() {
    RequestOp.Builder linearizable = op(range("a"));
    RequestOp.Builder serializable = op(range("a").setSerializable(true));
    return Stream.of(
        arguments("without operations", TxnRequest.newBuilder(), TxnKind.LINEARIZABLE_READ),
        arguments("one range", then(linearizable), TxnKind.LINEARIZABLE_READ),
        arguments("serializable ranges only", otherwise(then(serializable), serializable), TxnKind.SERIALIZABLE_READ),
        arguments("one of them linearizable", otherwise(then(serializable), linearizable), TxnKind.LINEARIZABLE_READ),
        arguments("nested reads", then(op(then(serializable))), TxnKind.SERIALIZABLE_READ),
        arguments("an empty nested one", then(op(then())), TxnKind.LINEARIZABLE_READ),
        arguments("a put in the other branch", otherwise(then(serializable), op(put("a", "1"))), TxnKind.WRITE),
        arguments("a deletion deep inside", then(op(then(op(then(op(delete("a"))))))), TxnKind.WRITE));
  }

  @ParameterizedTest(name = "{0}: {2}")
  @MethodSource("kinds")
  void kind(String which, TxnRequest.Builder txn, TxnKind expected) {
    assertThat(TxnKind.of(txn.build())).as(which).isEqualTo(expected);
  }

  @Test
  void smallTransactionsReadSingleKeysOnly() {
    assertThat(TxnKind.isSmall(then(op(range("a"))).addCompare(version("a", CompareResult.EQUAL, 0)).build())).isTrue();
    assertThat(TxnKind.isSmall(then(op(then(op(range("a", "b"))))).build())).isFalse();
    assertThat(TxnKind.isSmall(then().addCompare(version("a", CompareResult.EQUAL, 0).setRangeEnd(bytes("b"))).build())).isFalse();
  }
}
