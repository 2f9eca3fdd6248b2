package io.kvorum.server.agent.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.Change;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Events of several watches as whole revisions. */
class RevisionMergeTest {
  private static Change change(int watch, long main, int sub) {
    return new Change(false, (watch + "/" + sub).getBytes(StandardCharsets.UTF_8), main, sub, new byte[1], main, 1, 0, 0);
  }

  private static String text(Change change) {
    return new String(change.key(), StandardCharsets.UTF_8) + "@" + change.main();
  }

  /** Watches deliver at their own pace, with progress now and then: nothing comes early, late, twice, torn or out of order. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void whole_revisions_in_order(long seed) {
    Random random = new Random(seed);
    int watches = 1 + random.nextInt(4);
    List<List<Change>> script = new ArrayList<>();
    List<String> expected = new ArrayList<>();
    for (int watch = 0; watch < watches; watch++) {
      script.add(new ArrayList<>());
    }
    for (long main = 11; main <= 300; main++) {
      for (int watch = 0; watch < watches; watch++) {
        for (int sub = 0; sub < Math.max(0, random.nextInt(5) - 2); sub++) {
          script.get(watch).add(change(watch, main, sub));
          expected.add(text(script.get(watch).getLast()));
        }
      }
    }
    RevisionMerge merge = new RevisionMerge(watches, 10);
    long[] told = new long[watches];
    List<Change> taken = new ArrayList<>();
    long complete = 10;
    for (int step = 0; step < 2_000 && complete < 300; step++) {
      int watch = random.nextInt(watches);
      told[watch] = Math.min(300, Math.max(10, told[watch]) + random.nextInt(6));
      List<Change> part = new ArrayList<>();
      while (!script.get(watch).isEmpty() && script.get(watch).getFirst().main() <= told[watch]) {
        part.add(script.get(watch).removeFirst());
      }
      if (!part.isEmpty()) {
        merge.events(watch, part);
      }
      if (random.nextInt(3) == 0) {
        merge.progress(watch, told[watch]);
      }
      List<Change> next = merge.take();
      long before = complete;
      complete = merge.complete();
      assertThat(complete).isGreaterThanOrEqualTo(before);
      long bound = complete;
      assertThat(next).allMatch(change -> change.main() > before && change.main() <= bound);
      taken.addAll(next);
    }
    merge.progress(300);
    taken.addAll(merge.take());
    assertThat(taken.stream().map(RevisionMergeTest::text)).containsExactlyElementsOf(expected);
    assertThat(merge.incomplete()).isFalse();
    for (int i = 1; i < taken.size(); i++) {
      boolean same = taken.get(i).main() == taken.get(i - 1).main();
      assertThat(taken.get(i).sub()).isEqualTo(same ? taken.get(i - 1).sub() + 1 : 0);
    }
  }

  @Test
  void an_event_that_was_passed_is_a_fault() {
    RevisionMerge merge = new RevisionMerge(2, 10);
    merge.progress(1, 20);
    assertThatThrownBy(() -> merge.events(1, List.of(change(1, 20, 0)))).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> merge.events(0, List.of(change(0, 10, 0)))).isInstanceOf(IllegalArgumentException.class);
    merge.events(0, List.of(change(0, 11, 0)));
    assertThat(merge.complete()).isEqualTo(11);
  }
}
