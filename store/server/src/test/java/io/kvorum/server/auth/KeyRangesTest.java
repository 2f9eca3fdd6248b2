package io.kvorum.server.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class KeyRangesTest {
  private static final long SEED = Long.getLong("kvorum.seed", 1);
  private static final int TRIES = Integer.getInteger("kvorum.tries", 1_000);
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

  @Test
  void a_union_contains_what_any_part_contains_and_covers_what_it_contains_without_a_gap() {
    for (int i = 0; i < TRIES; i++) {
      long seed = SEED + i;
      SplittableRandom random = new SplittableRandom(seed);
      assertThatCode(() -> checkUnion(ranges(random), ranges(random))).as("seed %d", seed).doesNotThrowAnyException();
    }
  }

  private static void checkUnion(List<KeyRanges.Range> parts, List<KeyRanges.Range> asked) {
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
    return Arrays.compareUnsigned(key, range.start()) >= 0 && (range.end() == null || Arrays.compareUnsigned(key, range.end()) < 0);
  }

  /** Up to six ranges that are not empty, between keys that are few enough to touch and to overlap. */
  private static List<KeyRanges.Range> ranges(SplittableRandom random) {
    List<KeyRanges.Range> ranges = new ArrayList<>();
    int count = random.nextInt(7);
    while (ranges.size() < count) {
      byte[] end = random.nextInt(3) > 0 ? key(random) : random.nextBoolean() ? NONE : ZERO;
      KeyRanges.Range range = KeyRanges.Range.of(key(random), end);
      if (range.end() == null || Arrays.compareUnsigned(range.start(), range.end()) < 0) {
        ranges.add(range);
      }
    }
    return ranges;
  }

  private static byte[] key(SplittableRandom random) {
    byte[] key = new byte[1 + random.nextInt(2)];
    for (int i = 0; i < key.length; i++) {
      key[i] = (byte) random.nextInt(4);
    }
    return key;
  }
}
