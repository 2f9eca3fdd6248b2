package io.kvorum.server.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class KeyRangesTest {
  private static final byte[] NONE = {};
  private static final byte[] ZERO = {0};

  private static KeyRanges.Range range(String from, String to) {
    return KeyRanges.Range.of(from.getBytes(), to.getBytes());
  }

  @Test
  void adjoining_ranges_of_several_permissions_cover_what_spans_them() {
    KeyRanges keys = KeyRanges.union(List.of(range("c", "e"), range("a", "c"), range("x", "")));

    assertThat(keys.size()).isEqualTo(2);
    assertThat(keys.covers(range("a", "e"))).isTrue();
    assertThat(keys.covers(range("a", "f"))).isFalse();
    assertThat(keys.covers(range("b", "d"))).isTrue();
    assertThat(keys.contains("e".getBytes())).isFalse();
    assertThat(keys.contains("x".getBytes())).isTrue();
    assertThat(keys.contains("xa".getBytes())).isFalse();
  }

  @Test
  void everything_from_a_key_on_takes_an_open_end() {
    KeyRanges closed = KeyRanges.union(List.of(range("a", "zzzz")));
    KeyRanges open = KeyRanges.union(List.of(KeyRanges.Range.of("a".getBytes(), ZERO)));

    KeyRanges.Range rest = KeyRanges.Range.of("b".getBytes(), ZERO);
    assertThat(closed.covers(rest)).isFalse();
    assertThat(open.covers(rest)).isTrue();
    assertThat(open.covers(KeyRanges.Range.of(ZERO, ZERO))).isFalse();
  }

  @Test
  void an_empty_range_is_where_its_start_is() {
    KeyRanges keys = KeyRanges.union(List.of(range("a", "c")));

    assertThat(keys.covers(range("b", "a"))).isTrue();
    assertThat(keys.covers(range("z", "a"))).isFalse();
  }

  @Property
  void a_union_contains_what_any_part_contains_and_covers_what_it_contains_without_a_gap(
      @ForAll("ranges") List<KeyRanges.Range> parts, @ForAll("ranges") List<KeyRanges.Range> asked) {
    KeyRanges union = KeyRanges.union(parts);
    List<byte[]> all = new ArrayList<>();
    for (int a = 0; a < 4; a++) {
      all.add(new byte[] {(byte) a});
      for (int b = 0; b < 4; b++) {
        all.add(new byte[] {(byte) a, (byte) b});
        for (int c = 0; c < 2; c++) {
          all.add(new byte[] {(byte) a, (byte) b, (byte) c});
        }
      }
    }
    for (byte[] key : all) {
      assertThat(union.contains(key)).isEqualTo(parts.stream().anyMatch(part -> isIn(part, key)));
    }
    for (KeyRanges.Range range : asked) {
      boolean withoutGap = all.stream().filter(key -> isIn(range, key)).allMatch(union::contains);
      if (union.covers(range)) {
        assertThat(withoutGap).isTrue();
      }
      if (range.end() == null && parts.stream().noneMatch(part -> part.end() == null)) {
        assertThat(union.covers(range)).isFalse();
      }
    }
    for (KeyRanges.Range part : parts) {
      assertThat(union.covers(part)).isTrue();
    }
  }

  private static boolean isIn(KeyRanges.Range range, byte[] key) {
    return java.util.Arrays.compareUnsigned(key, range.start()) >= 0 && (range.end() == null || java.util.Arrays.compareUnsigned(key, range.end()) < 0);
  }

  @Provide
  Arbitrary<List<KeyRanges.Range>> ranges() {
    Arbitrary<byte[]> key = Arbitraries.bytes().between((byte) 0, (byte) 3).array(byte[].class).ofMinSize(1).ofMaxSize(2);
    Arbitrary<byte[]> end = Arbitraries.oneOf(key, Arbitraries.of(NONE, ZERO));
    return Combinators.combine(key, end)
        .as(KeyRanges.Range::of)
        .filter(range -> range.end() == null || java.util.Arrays.compareUnsigned(range.start(), range.end()) < 0)
        .list()
        .ofMaxSize(6);
  }
}
