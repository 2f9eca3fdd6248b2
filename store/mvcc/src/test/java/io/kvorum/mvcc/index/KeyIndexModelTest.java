package io.kvorum.mvcc.index;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.index.IndexModel.Version;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Random histories against {@link IndexModel}: every published state stays right, whatever is written or compacted later. */
class KeyIndexModelTest {
  /** Shapes of keys that stress the packing. */
  enum Keys {
    NUMBERED {
      @Override
      byte[] key(Random random) {
        return "key%06d".formatted(random.nextInt(600)).getBytes(StandardCharsets.UTF_8);
      }
    },
    /** Zero bytes, empty suffixes, one a prefix of the other. */
    SHORT_BINARY {
      @Override
      byte[] key(Random random) {
        byte[] key = new byte[1 + random.nextInt(12)];
        for (int i = 0; i < key.length; i++) {
          key[i] = (byte) (random.nextInt(3) == 0 ? 0 : random.nextBoolean() ? 0xff : 1);
        }
        return key;
      }
    },
    PATHS {
      @Override
      byte[] key(Random random) {
        String kind = List.of("pods", "leases", "events", "a", "").get(random.nextInt(5));
        return ("/registry/" + kind + "/ns" + random.nextInt(4) + "/name-" + random.nextInt(40)).getBytes(StandardCharsets.UTF_8);
      }
    },
    /** Some keys of kilobytes, so that leaves split by size and need wide offsets. */
    LONG {
      @Override
      byte[] key(Random random) {
        int which = random.nextInt(80);
        byte[] key = new byte[which % 9 == 0 ? 70_000 + which : 20 + which];
        Arrays.fill(key, (byte) ('a' + which % 5));
        key[key.length - 1] = (byte) which;
        return key;
      }
    };

    abstract byte[] key(Random random);
  }

  @ParameterizedTest
  @EnumSource(Keys.class)
  void agreesWithTheModel(Keys keys) {
    for (int seed = 1; seed <= 6; seed++) {
      new Run(keys, seed).run(keys == Keys.LONG ? 250 : 1200);
    }
  }

  /** One history; a step is one main revision with some changes, or a slice of compaction. */
  private static final class Run {
    private final Keys keys;
    private final Random random;
    private final String name;
    private final IndexModel model = new IndexModel();
    private final List<byte[]> known = new ArrayList<>();
    private final RevisionCursor cursor = new RevisionCursor();
    private KeyIndex index = new KeyIndex();
    private long main = 1;
    private long floor = -1;
    private IndexView kept;
    private IndexModel keptModel;
    private long keptAt;

    Run(Keys keys, int seed) {
      this.keys = keys;
      this.random = new Random(seed);
      this.name = keys + " seed " + seed;
    }

    void run(int steps) {
      for (int step = 0; step < steps; step++) {
        write();
        if (random.nextInt(3) == 0) {
          IndexView view = index.publish();
          if (step % 10 == 0) {
            TreeInvariants.check(view);
          }
        }
        if (random.nextInt(50) == 0) {
          readBoth(index.current(), model, main);
        }
        if (random.nextInt(150) == 0) {
          keepOrCheck();
        }
        if (random.nextInt(120) == 0 && main > floor + 1) {
          compact();
        }
        if (random.nextInt(300) == 0) {
          rebuild();
        }
      }
      readBoth(index.current(), model, main);
    }

    private void write() {
      main++;
      int changes = 1 + (random.nextInt(4) == 0 ? random.nextInt(5) : 0);
      for (int sub = 0; sub < changes; sub++) {
        // A few hot keys, so that revision lists get long and spill.
        byte[] key = random.nextInt(5) == 0 && !known.isEmpty() ? known.get(random.nextInt(Math.min(3, known.size()))) : keys.key(random);
        known.add(key);
        Version before = model.at(key, Long.MAX_VALUE);
        boolean found = index.seek(key, cursor) && cursor.next();
        assertThat(found).as(name).isEqualTo(before != null);
        boolean delete = before != null && !before.tombstone() && random.nextInt(3) == 0;
        index.add(main, sub, delete);
        model.add(key, main, sub, delete);
      }
    }

    private void keepOrCheck() {
      if (kept != null && floor <= keptAt) {
        TreeInvariants.check(kept);
        readBoth(kept, keptModel, keptAt);
      }
      kept = index.publish();
      keptModel = model.copy();
      keptAt = main;
    }

    private void compact() {
      floor = floor + 1 + random.nextInt((int) (main - floor));
      IndexModel before = model.copy();
      model.compact(floor);
      List<String> dropped = new ArrayList<>();
      byte[] next = null;
      do {
        next = index.compact(next, floor, (m, s) -> dropped.add(m + "." + s));
        TreeInvariants.check(index.current());
        if (random.nextInt(3) == 0) {
          index.publish();
        }
      } while (next != null);
      List<String> expected = new ArrayList<>();
      before.keys.forEach(
          (key, versions) ->
              versions.stream().filter(v -> !model.liveAfterCompaction(key, v)).forEach(v -> expected.add(v.main() + "." + v.sub())));
      assertThat(dropped).as(name).containsExactlyInAnyOrderElementsOf(expected);
      assertThat(TreeInvariants.check(index.publish())).as(name).isEqualTo(model.keys.size());
    }

    private void rebuild() {
      IndexBuilder builder = new IndexBuilder(floor, DropSink.NONE);
      model.keys.forEach((key, versions) -> versions.forEach(v -> builder.add(key.clone(), v.main(), v.sub(), v.tombstone())));
      index = builder.build();
      TreeInvariants.check(index.current());
    }

    private void readBoth(IndexView view, IndexModel expected, long newest) {
      for (int i = 0; i < 12; i++) {
        long revision = i == 0 ? Long.MAX_VALUE : Math.max(0, floor) + random.nextLong(newest - Math.max(0, floor) + 1);
        byte[] from = random.nextInt(4) == 0 ? null : keys.key(random);
        byte[] to = random.nextInt(4) == 0 ? null : keys.key(random);
        List<byte[]> live = expected.live(from, to, revision);
        assertThat(view.count(from, to, revision)).as("%s count at %s of %s", name, revision, newest).isEqualTo(live.size());
        Scan scan = view.scan(from, to);
        for (byte[] key : live) {
          assertThat(scan.nextLive(revision, cursor)).as(name).isTrue();
          assertThat(scan.key()).isEqualTo(key);
          Version version = expected.at(key, revision);
          assertThat(cursor.main()).isEqualTo(version.main());
          assertThat(cursor.sub()).isEqualTo(version.sub());
        }
        assertThat(scan.nextLive(revision, cursor)).isFalse();
        byte[] one = keys.key(random);
        Version version = expected.at(one, revision);
        assertThat(view.find(one, revision, cursor)).as(name).isEqualTo(version != null);
        if (version != null) {
          assertThat(new Version(cursor.main(), cursor.sub(), cursor.tombstone())).isEqualTo(version);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 56, 57, 5_000, 300_000})
  void bottomUpEqualsOneByOne(int size) {
    IndexBuilder builder = new IndexBuilder(-1, DropSink.NONE);
    for (int i = 0; i < size; i++) {
      builder.add("/k/%08d".formatted(i).getBytes(StandardCharsets.UTF_8), i + 2, 0, false);
    }
    IndexView built = builder.build().publish();
    assertThat(TreeInvariants.check(built)).isEqualTo(size);
    assertThat(built.live()).isEqualTo(size);
    assertThat(built.count(null, null, size / 2 + 1)).isEqualTo(size / 2);
  }

  @Test
  void builderRefusesDisorder() {
    IndexBuilder builder = new IndexBuilder(-1, DropSink.NONE);
    builder.add(new byte[] {2}, 2, 0, false);
    assertThatThrownBy(() -> builder.add(new byte[] {1}, 3, 0, false)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> builder.add(new byte[] {2}, 2, 0, false)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void emptyingByCompactionLeavesAnEmptyTree() {
    KeyIndex index = new KeyIndex();
    RevisionCursor cursor = new RevisionCursor();
    long main = 1;
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < 20_000; i++) {
        index.seek("key%08d".formatted(i).getBytes(StandardCharsets.UTF_8), cursor);
        index.add(++main, 0, round == 1);
      }
    }
    IndexView before = index.publish();
    byte[] next = null;
    int slices = 0;
    do {
      next = index.compact(next, main + 1, DropSink.NONE);
      slices++;
    } while (next != null);
    assertThat(TreeInvariants.check(index.publish())).isZero();
    assertThat(slices).isGreaterThan(3);
    assertThat(TreeInvariants.check(before)).isEqualTo(20_000);
  }

  @Test
  void thinningOutMergesNodesOfAllLevels() {
    int size = 300_000;
    IndexBuilder builder = new IndexBuilder(-1, DropSink.NONE);
    for (int i = 0; i < size; i++) {
      builder.add("key%08d".formatted(i).getBytes(StandardCharsets.UTF_8), i + 2, 0, false);
    }
    KeyIndex index = builder.build();
    RevisionCursor cursor = new RevisionCursor();
    long main = size + 1;
    for (int i = 0; i < size; i++) {
      if (i % 50 != 7) {
        index.seek("key%08d".formatted(i).getBytes(StandardCharsets.UTF_8), cursor);
        index.add(++main, 0, true);
      }
    }
    byte[] next = null;
    do {
      next = index.compact(next, main + 1, DropSink.NONE);
    } while (next != null);
    IndexView thin = index.publish();
    assertThat(TreeInvariants.check(thin)).isEqualTo(size / 50);
    assertThat(thin.root()).isInstanceOfSatisfying(Inner.class, root -> assertThat(root.size()).isLessThan(10));
    for (int i = 7; i < size; i += 50) {
      assertThat(thin.find("key%08d".formatted(i).getBytes(StandardCharsets.UTF_8), main, cursor)).isTrue();
      assertThat(cursor.main()).isEqualTo(i + 2);
    }
  }
}
