package io.kvorum.mvcc.index;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;

/** Checks what must hold of a tree after every step. */
final class TreeInvariants {
  private final RevisionCursor cursor = new RevisionCursor();
  private byte[] lastKey;
  private long keys;

  /**
   * @return number of keys in the tree, dead ones included
   */
  static long check(IndexView view) {
    TreeInvariants invariants = new TreeInvariants();
    invariants.walk(view.root(), view.height(), null, null);
    assertThat(view.live()).isEqualTo(view.root().live());
    return invariants.keys;
  }

  private void walk(Node node, int height, byte[] low, byte[] high) {
    switch (node) {
      case Leaf leaf -> {
        assertThat(height).as("all leaves at one depth").isZero();
        leaf(leaf, low, high);
      }
      case Inner inner -> {
        assertThat(height).isPositive();
        assertThat(inner.size()).isBetween(1, Inner.FANOUT);
        for (int i = 0; i < inner.size(); i++) {
          Node child = inner.child(i);
          assertThat((long) inner.liveOf(i)).isEqualTo(child.live());
          assertThat(inner.newestOf(i)).isGreaterThanOrEqualTo(child.newest());
          byte[] childLow = i == 0 ? low : inner.separator(i);
          byte[] childHigh = i == inner.size() - 1 ? high : inner.separator(i + 1);
          walk(child, height - 1, childLow, childHigh);
        }
      }
    }
  }

  private void leaf(Leaf leaf, byte[] low, byte[] high) {
    assertThat(leaf.size()).isLessThanOrEqualTo(Leaf.MAX_KEYS);
    long live = 0;
    long newest = 0;
    boolean plain = true;
    for (int i = 0; i < leaf.size(); i++) {
      byte[] key = leaf.keyAt(i);
      assertThat(leaf.find(key)).isEqualTo(i);
      assertThat(lastKey == null || Arrays.compareUnsigned(lastKey, key) < 0).as("ascending keys").isTrue();
      assertThat(low == null || Arrays.compareUnsigned(low, key) <= 0).as("above the separator").isTrue();
      assertThat(high == null || Arrays.compareUnsigned(key, high) < 0).as("below the next separator").isTrue();
      lastKey = key;
      keys++;
      leaf.revisions(i, cursor);
      assertThat(cursor.next()).isTrue();
      live += cursor.tombstone() ? 0 : 1;
      newest = Math.max(newest, cursor.main());
      assertThat(leaf.liveNewest(i)).isEqualTo(!cursor.tombstone());
      plain &= !cursor.tombstone();
      long main = cursor.main();
      int sub = cursor.sub();
      while (cursor.next()) {
        plain = false;
        assertThat(cursor.main() < main || cursor.main() == main && cursor.sub() < sub).as("descending revisions").isTrue();
        main = cursor.main();
        sub = cursor.sub();
      }
    }
    assertThat(leaf.live()).isEqualTo(live);
    assertThat(leaf.newest()).isEqualTo(newest);
    assertThat(!leaf.plain() || plain).as("plain only when nothing can be compacted").isTrue();
  }
}
