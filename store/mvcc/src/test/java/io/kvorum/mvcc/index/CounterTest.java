package io.kvorum.mvcc.index;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** What counting costs, in nodes looked into. */
class CounterTest {
  private static final int KEYS = 1_000_000;

  private static byte[] key(int i) {
    return "/registry/pods/%08d".formatted(i).getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void millionKeysAreCountedAlongTheEdges() {
    IndexBuilder builder = new IndexBuilder(-1, DropSink.NONE);
    for (int i = 0; i < KEYS; i++) {
      builder.add(key(i), i + 2, 0, false);
    }
    KeyIndex index = builder.build();
    IndexView view = index.publish();
    int newest = KEYS + 1;
    for (int i = 0; i < 200; i++) {
      int from = i * 2_417;
      int to = KEYS - i * 1_931;
      Counter counter = new Counter(newest);
      assertThat(counter.count(view, key(from), key(to))).isEqualTo(to - from);
      assertThat(counter.visits()).isLessThanOrEqualTo(2L * (view.height() + 1));
    }
    Counter all = new Counter(newest);
    assertThat(all.count(view, null, null)).isEqualTo(KEYS);
    assertThat(all.visits()).isLessThanOrEqualTo(2L * (view.height() + 1));

    // A past revision costs the leaves that have changed since, not all of them.
    RevisionCursor cursor = new RevisionCursor();
    for (int i = 0; i < 10; i++) {
      index.seek(key(i * 90_000), cursor);
      index.add(newest + 1 + i, 0, true);
    }
    IndexView later = index.publish();
    Counter past = new Counter(newest);
    assertThat(past.count(later, null, null)).isEqualTo(KEYS);
    assertThat(past.visits()).isLessThanOrEqualTo((2L + 10) * (later.height() + 1));
    assertThat(new Counter(newest + 10).count(later, null, null)).isEqualTo(KEYS - 10);
  }
}
