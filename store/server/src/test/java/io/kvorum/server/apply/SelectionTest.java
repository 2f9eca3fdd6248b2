package io.kvorum.server.apply;

import static io.kvorum.server.apply.Requests.log;
import static io.kvorum.server.apply.Requests.put;
import static io.kvorum.server.apply.Requests.range;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest.SortOrder;
import io.kvorum.protocol.etcdserverpb.RangeRequest.SortTarget;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.mvccpb.KeyValue;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Keys a to e; created in the order d(2) b(3) a(4) e(5) c(6); then b(7) and d(8), d(9) again. Values: a=5 b=4 c=3 d=2 e=1. */
class SelectionTest {
  private final ModelStore store = new ModelStore();
  private final DirectLog log = new DirectLog(store);

  @BeforeEach
  void fill() {
    for (String pair : List.of("d2", "b4", "a5", "e1", "c3", "b4", "d2", "d2")) {
      log.call(log(put(pair.substring(0, 1), pair.substring(1))));
    }
  }

  private RangeResponse select(RangeRequest.Builder request) {
    try (ReadView view = store.view()) {
      return Selection.of(KeyReader.of(view), request.build()).toResponse(request.getKeysOnly()).build();
    }
  }

  private static String keys(RangeResponse response) {
    return String.join("", response.getKvsList().stream().map(kv -> kv.getKey().toStringUtf8()).toList());
  }

  private static RangeRequest.Builder all() {
    return range("a", "z");
  }

  static Stream<Arguments> rules() {
    return Stream.of(
        arguments("key order by default", all(), "abcde", 5, false),
        arguments("a single key", range("c"), "c", 1, false),
        arguments("from a key on", range("c", "\0"), "cde", 3, false),
        arguments("every key", range("\0", "\0"), "abcde", 5, false),
        arguments("an end at or below the key is empty", range("c", "c"), "", 0, false),
        arguments("the end is exclusive", range("a", "c"), "ab", 2, false),
        arguments("a limit cuts and says so; the count does not care", all().setLimit(2), "ab", 5, true),
        arguments("a limit of the exact size cuts nothing", all().setLimit(5), "abcde", 5, false),
        arguments("a negative limit is none", all().setLimit(-3), "abcde", 5, false),
        arguments("a huge limit is none", all().setLimit(Long.MAX_VALUE).setSortTarget(SortTarget.MOD), "aecbd", 5, false),
        arguments("the count alone", all().setCountOnly(true).setLimit(2).setMinModRevision(9), "", 5, false),
        arguments("descending by key", all().setSortOrder(SortOrder.DESCEND), "edcba", 5, false),
        arguments("descending by key with a limit", all().setSortOrder(SortOrder.DESCEND).setLimit(2), "ed", 5, true),
        arguments("ascending by key with a limit", all().setSortOrder(SortOrder.ASCEND).setLimit(2), "ab", 5, true),
        arguments("by version, ties in key order", all().setSortOrder(SortOrder.ASCEND).setSortTarget(SortTarget.VERSION), "acebd", 5, false),
        arguments("by version descending, ties in key order", all().setSortOrder(SortOrder.DESCEND).setSortTarget(SortTarget.VERSION), "dbace", 5, false),
        arguments("by create revision", all().setSortOrder(SortOrder.ASCEND).setSortTarget(SortTarget.CREATE), "dbaec", 5, false),
        arguments("by create revision with a limit: the oldest", all().setSortOrder(SortOrder.ASCEND).setSortTarget(SortTarget.CREATE).setLimit(1), "d", 5, true),
        arguments("by mod revision descending", all().setSortOrder(SortOrder.DESCEND).setSortTarget(SortTarget.MOD), "dbcea", 5, false),
        arguments("by value", all().setSortOrder(SortOrder.ASCEND).setSortTarget(SortTarget.VALUE), "edcba", 5, false),
        arguments("order NONE sorts ascending by the target", all().setSortTarget(SortTarget.VALUE), "edcba", 5, false),
        arguments("but with a limit only among the first limit + 1 keys", all().setSortTarget(SortTarget.VALUE).setLimit(2), "cb", 5, true),
        arguments("unless filters fetch everything", all().setSortTarget(SortTarget.VALUE).setLimit(2).setMinCreateRevision(1), "ed", 5, true),
        arguments("min_mod is inclusive; the count ignores filters", all().setMinModRevision(6), "bcd", 5, false),
        arguments("max_mod is inclusive", all().setMaxModRevision(6), "ace", 5, false),
        arguments("min_create is inclusive", all().setMinCreateRevision(4), "ace", 5, false),
        arguments("max_create is inclusive", all().setMaxCreateRevision(3), "bd", 5, false),
        arguments("filters join", all().setMinModRevision(5).setMaxModRevision(8).setMinCreateRevision(5), "ce", 5, false),
        arguments("filters come before the limit", all().setMinModRevision(6).setLimit(2), "bc", 5, true),
        arguments("more counts what the filters left", all().setMinModRevision(6).setLimit(3), "bcd", 5, false),
        arguments("an older revision", all().setRevision(4), "abd", 3, false),
        arguments("a negative revision is the present", all().setRevision(-1), "abcde", 5, false));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rules")
  void selects(String rule, RangeRequest.Builder request, String keys, long count, boolean more) {
    RangeResponse response = select(request);
    assertThat(keys(response)).as(rule).isEqualTo(keys);
    assertThat(response.getCount()).isEqualTo(count);
    assertThat(response.getMore()).isEqualTo(more);
  }

  @Test
  void keysOnlyKeepsEverythingButTheValue() {
    assertThat(select(range("d").setKeysOnly(true)).getKvs(0))
        .isEqualTo(KeyValue.newBuilder().setKey(Requests.bytes("d")).setCreateRevision(2).setModRevision(9).setVersion(3).build());
  }

  @Test
  void revisionsOutsideOfTheHistoryAreRefusedAlsoWhenOnlyCounting() {
    log.call(Requests.compaction(5));
    assertThatThrownBy(() -> select(all().setRevision(10).setCountOnly(true))).isInstanceOf(RevisionException.Future.class);
    assertThatThrownBy(() -> select(all().setRevision(4).setSortTarget(SortTarget.MOD))).isInstanceOf(RevisionException.Compacted.class);
    assertThat(select(all().setRevision(5)).getCount()).isEqualTo(4);
  }
}
