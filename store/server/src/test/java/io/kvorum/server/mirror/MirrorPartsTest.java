package io.kvorum.server.mirror;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.mvccpb.Event;
import io.kvorum.protocol.mvccpb.KeyValue;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class MirrorPartsTest {
  private static ByteString utf8(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private static KeyValue pair(String key, int bytes) {
    return KeyValue.newBuilder().setKey(utf8(key)).setValue(ByteString.copyFrom(new byte[bytes])).build();
  }

  @Test
  void a_prefix_is_the_range_of_what_begins_so() {
    assertThat(Span.prefix("a/")).isEqualTo(new Span(utf8("a/"), utf8("a0")));
    assertThat(Span.prefix("").contains(utf8("anything"))).isTrue();
    assertThat(Span.prefix("a/").contains(utf8("a/"))).isTrue();
    assertThat(Span.prefix("a/").contains(utf8("a/zz"))).isTrue();
    assertThat(Span.prefix("a/").contains(utf8("a0"))).isFalse();
    assertThat(Span.prefix("a/").contains(utf8("a"))).isFalse();
    assertThat(Span.after(utf8("a")).toByteArray()).containsExactly('a', 0);
  }

  @Test
  void a_position_is_read_as_it_was_written() {
    Position copying = Position.copy(-5, 77, ByteString.copyFrom(new byte[] {0, (byte) 0xff})).copiedUpTo(utf8("k k"));
    assertThat(Position.decode(copying.encode())).isEqualTo(copying);
    Position following = copying.at(99).at(100);
    assertThat(Position.decode(following.encode())).isEqualTo(following).isEqualTo(new Position(-5, false, 100, ByteString.EMPTY, 3));
    assertThat(Position.following(7, 3).encode()).as("each step differs").isNotEqualTo(Position.following(7, 3).at(3).encode());
    assertThatThrownBy(() -> Position.decode(utf8("something else"))).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void a_copy_has_what_lies_before_its_next_key() {
    Position copying = Position.copy(1, 77, utf8("a")).copiedUpTo(utf8("m"));
    assertThat(copying.has(utf8("b"))).isTrue();
    assertThat(copying.has(utf8("m"))).isFalse();
    assertThat(copying.at(77).has(utf8("z"))).isTrue();
  }

  @Test
  void a_batch_holds_each_key_once_and_what_a_server_takes() {
    Batch batch = new Batch();
    batch.put(pair("a", 10), 0);
    assertThat(batch.takes(pair("a", 10))).isFalse();
    assertThat(batch.takes(pair("b", 10))).isTrue();
    assertThat(batch.takes(pair("b", 2 << 20))).isFalse();
    assertThat(batch.takesAll(List.of(event("b"), event("a")))).isFalse();
    for (int i = 1; i < Batch.OPS_MAX; i++) {
      assertThat(batch.takes(pair("k" + i, 1))).isTrue();
      batch.delete(pair("k" + i, 1));
    }
    assertThat(batch.takes(pair("b", 1))).isFalse();
    batch.clear();
    assertThat(batch.isEmpty()).isTrue();
    assertThat(batch.takes(pair("a", 2 << 20))).as("a large one goes alone").isTrue();
    assertThat(batch.takesAll(IntStream.range(0, Batch.OPS_MAX).mapToObj(i -> event("k" + i)).toList())).isTrue();
    assertThat(batch.takesAll(IntStream.range(0, Batch.OPS_MAX + 1).mapToObj(i -> event("k" + i)).toList())).isFalse();
  }

  private static Event event(String key) {
    return Event.newBuilder().setKv(pair(key, 1)).build();
  }
}
