package io.kvorum.server.agent.copy;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.kvorum.server.base.EtcdError;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The small parts of the copy. */
class CopyPartsTest {
  private static final long SECOND = 1_000_000_000L;

  private static byte[] bytes(int... values) {
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  @Test
  void spans_of_prefixes() {
    Span plain = Span.prefix(ByteString.copyFromUtf8("a/"));
    assertThat(plain.to()).isEqualTo(bytes('a', '0'));
    assertThat(plain.covers(bytes('a', '/'), bytes('a', '0'))).isTrue();
    assertThat(plain.covers(bytes('a', '/'), bytes('a', '1'))).isFalse();
    assertThat(plain.covers(bytes('a', '/', 'x'), bytes())).isTrue();
    assertThat(plain.covers(bytes('a', '/', 'x'), bytes(0))).isFalse();
    assertThat(plain.covers(bytes('a', '.'), bytes('a', '0'))).isFalse();

    Span last = Span.prefix(ByteString.copyFrom(bytes(0xff, 0xff)));
    assertThat(last.to()).isNull();
    assertThat(last.covers(bytes(0xff, 0xff, 1), bytes(0))).isTrue();
    assertThat(last.rangeEnd()).isEqualTo(ByteString.copyFrom(bytes(0)));
    assertThat(Span.prefix(ByteString.copyFrom(bytes(1, 0xff))).to()).isEqualTo(bytes(2));

    Span all = Span.prefix(ByteString.EMPTY);
    assertThat(all.covers(bytes(0), bytes(0))).isTrue();
    assertThat(all.contains(bytes(0xff))).isTrue();

    List<ByteString> nested = List.of("b/x/", "b/", "a", "b/", "c").stream().map(ByteString::copyFromUtf8).toList();
    assertThat(Span.of(nested).stream().map(span -> new String(span.from()))).containsExactly("a", "b/", "c");
  }

  @Test
  void fresh_behind_and_cut_off() {
    Freshness fresh = new Freshness(0);
    assertThat(fresh.cutOff(5 * SECOND)).isFalse();
    assertThat(fresh.cutOff(5 * SECOND + 1)).isTrue();
    fresh.answered(6 * SECOND, 100);
    assertThat(fresh.cutOff(11 * SECOND)).isFalse();
    fresh.reached(99);
    assertThat(fresh.behind(6 * SECOND)).as("answered, and not there").isTrue();
    fresh.answered(7 * SECOND, 101);
    fresh.reached(100);
    assertThat(fresh.behind(11 * SECOND)).isFalse();
    assertThat(fresh.behind(11 * SECOND + 1)).isTrue();
    fresh.reached(101);
    assertThat(fresh.behind(12 * SECOND)).isFalse();
    assertThat(fresh.answeredAt()).isEqualTo(7 * SECOND);
  }

  @Test
  void one_question_at_a_time_and_pauses_that_grow() {
    ProgressAsking asking = new ProgressAsking();
    assertThat(asking.begin()).isTrue();
    assertThat(asking.begin()).as("one is on its way").isFalse();
    long question = asking.turn();
    long pause = asking.pause();
    long turn = asking.turn();
    assertThat(asking.over(question)).as("the silence of a question that was answered").isFalse();
    assertThat(asking.begin()).isFalse();
    assertThat(asking.over(turn)).isTrue();
    assertThat(asking.begin()).isTrue();
    assertThat(asking.pause()).isEqualTo(2 * pause);
    for (int i = 0; i < 20; i++) {
      asking.pause();
    }
    assertThat(asking.pause()).isEqualTo(ProgressAsking.SILENCE_MILLIS);
    asking.satisfied();
    assertThat(asking.begin()).isTrue();
    assertThat(asking.pause()).isEqualTo(ProgressAsking.PAUSE_MILLIS_MIN);
  }

  @Test
  void waiters_are_told_in_order_and_their_number_is_bounded() {
    Reaching reaching = new Reaching();
    CompletableFuture<Void> ten = new CompletableFuture<>();
    CompletableFuture<Void> five = new CompletableFuture<>();
    reaching.add(10, ten);
    reaching.add(5, five);
    reaching.reached(7);
    assertThat(five).isCompleted();
    assertThat(ten).isNotDone();
    assertThat(reaching.any()).isTrue();
    ten.cancel(false);
    assertThat(reaching.any()).as("one that has given up does not wait").isFalse();
    for (int i = 0; i < Reaching.WAITING_MAX; i++) {
      reaching.add(100, new CompletableFuture<>());
    }
    CompletableFuture<Void> tooMany = new CompletableFuture<>();
    reaching.add(100, tooMany);
    assertThat(tooMany).isCompletedExceptionally();
  }

  @Test
  void refusals_are_told_from_failures() {
    assertThat(Heartbeat.refused(EtcdError.PERMISSION_DENIED.status())).isTrue();
    assertThat(Heartbeat.refused(EtcdError.INVALID_AUTH_TOKEN.status())).isTrue();
    assertThat(Heartbeat.refused(EtcdError.USER_NAME_IS_EMPTY.status())).isTrue();
    assertThat(Heartbeat.refused(EtcdError.AUTHENTICATION_FAILED.status())).isTrue();
    assertThat(Heartbeat.refused(EtcdError.REVISION_OF_AUTH_STORE_IS_OLD.status())).isFalse();
    assertThat(Heartbeat.refused(Status.UNAVAILABLE)).isFalse();
    Status denied = UpstreamWatch.refusal("rpc error: code = PermissionDenied desc = etcdserver: permission denied");
    assertThat(denied.getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
    assertThat(denied.getDescription()).isEqualTo("etcdserver: permission denied");
    assertThat(UpstreamWatch.refusal("etcdserver: no leader").getCode()).isEqualTo(Status.Code.UNAVAILABLE);
  }
}
