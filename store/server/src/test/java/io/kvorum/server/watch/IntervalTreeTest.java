package io.kvorum.server.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class IntervalTreeTest {
  private static final long SEED = Long.getLong("kvorum.seed", 1);
  private static final int TRIES = Integer.getInteger("kvorum.tries", 200);

  private record Interval(byte[] begin, byte[] end, int value) {
    boolean holds(byte[] key) {
      return Arrays.compareUnsigned(begin, key) <= 0 && (end == null || Arrays.compareUnsigned(key, end) < 0);
    }

    boolean same(byte[] otherBegin, byte[] otherEnd) {
      return Arrays.equals(begin, otherBegin) && Arrays.equals(end, otherEnd);
    }
  }

  /** Keys of up to two of four bytes, some of them above 127: few enough that intervals touch, nest and repeat. */
  private static byte[] key(SplittableRandom random) {
    byte[] alphabet = {0, 1, 'a', (byte) 0xfe};
    byte[] key = new byte[1 + random.nextInt(2)];
    for (int i = 0; i < key.length; i++) {
      key[i] = alphabet[random.nextInt(alphabet.length)];
    }
    return key;
  }

  @Test
  void answersAsAListWould() {
    for (int i = 0; i < TRIES; i++) {
      long seed = SEED + i;
      assertThatCode(() -> answersAsAListWould(new SplittableRandom(seed))).as("seed %d", seed).doesNotThrowAnyException();
    }
  }

  private static void answersAsAListWould(SplittableRandom random) {
    IntervalTree<Integer> tree = new IntervalTree<>();
    List<Interval> model = new ArrayList<>();
    for (int step = 0; step < 300; step++) {
      byte[] begin = key(random);
      byte[] end = random.nextInt(4) == 0 ? null : key(random);
      if (random.nextInt(3) > 0) {
        int value = step;
        int held = tree.getOrAdd(begin, end, () -> value);
        Interval known = model.stream().filter(i -> i.same(begin, end)).findFirst().orElse(null);
        assertThat(held).isEqualTo(known == null ? value : known.value);
        if (known == null) {
          model.add(new Interval(begin, end, value));
        }
      } else if (!model.isEmpty() && random.nextBoolean()) {
        Interval victim = model.remove(random.nextInt(model.size()));
        assertThat(tree.remove(victim.begin, victim.end)).isTrue();
      } else {
        assertThat(tree.remove(begin, end)).isEqualTo(model.removeIf(i -> i.same(begin, end)));
      }
      byte[] probe = key(random);
      List<Integer> found = new ArrayList<>();
      tree.stab(probe, found::add);
      assertThat(found).containsExactlyInAnyOrderElementsOf(model.stream().filter(i -> i.holds(probe)).map(Interval::value).toList());
      assertThat(tree.size()).isEqualTo(model.size());
    }
  }

  @Test
  void endIsExclusiveAndBytesAreUnsigned() {
    IntervalTree<String> tree = new IntervalTree<>();
    tree.getOrAdd(new byte[] {'a'}, new byte[] {'c'}, () -> "a-c");
    tree.getOrAdd(new byte[] {'b'}, null, () -> "b-");
    assertThat(stab(tree, 'a')).containsExactly("a-c");
    assertThat(stab(tree, 'b')).containsExactly("a-c", "b-");
    assertThat(stab(tree, 'c')).containsExactly("b-");
    assertThat(stab(tree, 0xff)).containsExactly("b-");
    assertThat(stab(tree, 0x01)).isEmpty();
    assertThat(tree.get(new byte[] {'b'}, null)).isEqualTo("b-");
    assertThat(tree.get(new byte[] {'b'}, new byte[] {'c'})).isNull();
  }

  private static List<String> stab(IntervalTree<String> tree, int key) {
    List<String> found = new ArrayList<>();
    tree.stab(new byte[] {(byte) key}, found::add);
    return found;
  }
}
