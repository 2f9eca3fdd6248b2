package io.kvorum.mvcc.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.SnapshotFiles;
import io.kvorum.mvcc.WriteTxn;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints, reopening and snapshots of whole stores on real files. */
class StoreSnapshotTest {
  private static final MvccOptions OPTIONS = new MvccOptions(0, true, FailPoint.NONE);
  private static final RangeQuery ALL = new RangeQuery(new byte[] {0}, new byte[] {0}, 0, 0, false);

  @TempDir Path directory;

  private static byte[] key(int i) {
    return "key%04d".formatted(i).getBytes(StandardCharsets.UTF_8);
  }

  private static void write(MvccStore store, long seed, int transactions) {
    Random random = new Random(seed);
    for (int i = 0; i < transactions; i++) {
      WriteTxn txn = store.begin();
      if (random.nextInt(5) == 0) {
        txn.deleteRange(key(random.nextInt(300)), key(random.nextInt(300)));
      } else {
        txn.put(key(random.nextInt(300)), ("value" + random.nextLong()).getBytes(StandardCharsets.UTF_8), random.nextInt(3));
      }
      txn.end();
    }
    store.publish();
  }

  private static void ship(SnapshotFiles snapshot, MvccStore to, Path into) throws IOException {
    Files.createDirectories(into);
    List<String> missing = to.missing(snapshot.entries());
    for (String name : missing) {
      try (FileChannel out = FileChannel.open(into.resolve(name), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        ByteBuffer part = ByteBuffer.allocate(8192);
        for (long at = 0; snapshot.read(name, at, part.clear()) >= 0; at += part.limit()) {
          out.write(part.flip());
        }
      }
    }
  }

  private static List<String> leased(MvccStore store) {
    List<String> leased = new ArrayList<>();
    store.forEachLeased((key, lease) -> leased.add(new String(key, StandardCharsets.UTF_8) + lease));
    return leased;
  }

  private static void assertEqualStates(MvccStore actual, MvccStore expected) {
    try (ReadView a = actual.view();
        ReadView b = expected.view()) {
      assertThat(a.revision()).isEqualTo(b.revision());
      assertThat(a.compactRevision()).isEqualTo(b.compactRevision());
      for (long revision = Math.max(1, b.compactRevision()); revision <= b.revision(); revision += 7) {
        assertThat(a.hash(revision)).isEqualTo(b.hash(revision));
      }
      assertThat(a.range(ALL).records().stream().map(r -> r.main() + "." + r.sub()))
          .isEqualTo(b.range(ALL).records().stream().map(r -> r.main() + "." + r.sub()).toList());
    }
    assertThat(actual.sizeInUseBytes()).isEqualTo(expected.sizeInUseBytes());
  }

  @Test
  void aFollowerBecomesTheLeader() throws Exception {
    Path follower = directory.resolve("follower");
    List<String> leasedKeys;
    try (MvccStore a = MvccStore.open(directory.resolve("leader"), OPTIONS)) {
      write(a, 1, 2_000);
      a.compact(1_200);
      a.publish();
      a.physicalCompaction().get(30, TimeUnit.SECONDS);
      a.checkpoint(77, 3, new byte[] {1, 2, 3});
      try (MvccStore b = MvccStore.open(follower, OPTIONS)) {
        write(b, 2, 500);
        b.checkpoint(5, 1, new byte[0]);
        write(b, 3, 50);
        try (ReadView old = b.view();
            SnapshotFiles snapshot = a.snapshot()) {
          String before = old.range(ALL).toString();
          int oldHash = old.hash(0).hash();
          long oldRevision = old.revision();
          ship(snapshot, b, directory.resolve("sent"));
          b.install(directory.resolve("sent"));
          assertThat(old.revision()).isEqualTo(oldRevision);
          assertThat(old.hash(0).hash()).as("a view that was open before stays as it was: %s", before).isEqualTo(oldHash);
        }
        assertThat(b.checkpoint()).usingRecursiveComparison().isEqualTo(new MvccStore.Checkpoint(77, 3, a.revision(), new byte[] {1, 2, 3}));
        leasedKeys = leased(b);
        assertThat(leasedKeys).isNotEmpty();
        assertEqualStates(b, a);
        write(a, 4, 200);
        write(b, 4, 200);
        assertEqualStates(b, a);
      }
    }
    try (MvccStore b = MvccStore.open(follower, OPTIONS);
        MvccStore a = MvccStore.open(directory.resolve("leader"), OPTIONS)) {
      assertThat(leased(b)).isEqualTo(leasedKeys).isEqualTo(leased(a));
      assertEqualStates(b, a);
    }
  }

  @Test
  void revisionOutlivesItsCompactedTombstone() throws Exception {
    Path data = directory.resolve("data");
    try (MvccStore store = MvccStore.open(data, OPTIONS)) {
      for (boolean put : new boolean[] {true, false, true, false}) {
        WriteTxn txn = store.begin();
        if (put) {
          txn.put(key(1), new byte[] {1}, 9);
        } else {
          txn.deleteRange(key(1), null);
        }
        txn.end();
      }
      store.compact(5);
      store.publish();
      store.defragment().get(30, TimeUnit.SECONDS);
      store.checkpoint(4, 1, new byte[0]);
      assertThat(store.revision()).isEqualTo(5);
    }
    try (MvccStore store = MvccStore.open(data, OPTIONS)) {
      assertThat(store.revision()).isEqualTo(5);
      assertThat(store.compactRevision()).isEqualTo(5);
      assertThat(store.checkpoint().revision()).isEqualTo(5);
      WriteTxn txn = store.begin();
      assertThat(txn.put(key(1), new byte[0], 0)).matches(change -> change.main() == 6 && change.createRevision() == 6 && change.version() == 1);
      txn.end();
    }
  }

  @Test
  void compactionAndDefragmentationShrinkWhatIsHeld() throws Exception {
    try (MvccStore store = MvccStore.open(directory.resolve("data"), OPTIONS)) {
      for (int i = 0; i < 500; i++) {
        WriteTxn txn = store.begin();
        txn.put(key(i % 5), new byte[400], 0);
        txn.end();
      }
      store.publish();
      long full = store.sizeBytes();
      assertThat(full).isGreaterThan(200_000).isEqualTo(store.sizeInUseBytes());
      store.compact(store.revision());
      store.publish();
      store.physicalCompaction().get(30, TimeUnit.SECONDS);
      assertThat(store.sizeInUseBytes()).isBetween(5 * 400L, 5 * 450L);
      store.defragment().get(30, TimeUnit.SECONDS);
      assertThat(store.sizeBytes()).isEqualTo(store.sizeInUseBytes());
    }
  }
}
