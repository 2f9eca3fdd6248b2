package io.kvorum.mvcc.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.RangeResult;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.WriteTxn;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Readers during writes, compactions, rewrites and checkpoints. Each transaction writes the same number under all keys of a group, so that a reader who
 * sees two numbers in a group, or a number that is not its revision's, has seen a torn state.
 */
class ConcurrentReadersTest {
  private static final int GROUPS = 50;
  private static final int GROUP_SIZE = 8;
  private static final int TRANSACTIONS = 12_000;
  private static final int READERS = 3;

  private static byte[] key(int group, int i) {
    return "group%03d/%d".formatted(group, i).getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] end(int group) {
    return "group%03d0".formatted(group).getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void readersSeeWholeTransactions(@TempDir Path directory) throws Exception {
    AtomicBoolean done = new AtomicBoolean();
    try (ExecutorService pool = Executors.newFixedThreadPool(READERS);
        MvccStore store = MvccStore.open(directory, new MvccOptions(0, false, FailPoint.NONE))) {
      List<CompletableFuture<Long>> readers = new ArrayList<>();
      for (int i = 0; i < READERS; i++) {
        int seed = i;
        readers.add(CompletableFuture.supplyAsync(() -> read(store, new Random(seed), done), pool));
      }
      write(store, done);
      for (CompletableFuture<Long> reader : readers) {
        assertThat(reader.get(60, TimeUnit.SECONDS)).isPositive();
      }
    } finally {
      done.set(true);
    }
  }

  private static void write(MvccStore store, AtomicBoolean done) throws Exception {
    try {
      Random random = new Random(99);
      for (int n = 0; n < TRANSACTIONS; n++) {
        WriteTxn txn = store.begin();
        int group = random.nextInt(GROUPS);
        boolean delete = random.nextInt(10) == 0;
        byte[] value = Long.toString(txn.revision() + 1).getBytes(StandardCharsets.UTF_8);
        if (delete) {
          txn.deleteRange(key(group, 0), end(group));
        } else {
          for (int i = 0; i < GROUP_SIZE; i++) {
            txn.put(key(group, i), value, 0);
          }
        }
        txn.end();
        if (n % 7 == 0) {
          store.publish();
        }
        if (n % 500 == 499) {
          store.publish();
          store.compact(store.revision() - random.nextInt(100));
          store.publish();
        }
        if (n % 1000 == 999 || store.wantsCheckpoint()) {
          store.checkpoint(n + 1, 1, new byte[0]);
        }
      }
      store.publish();
      store.physicalCompaction().get(60, TimeUnit.SECONDS);
    } finally {
      done.set(true);
    }
  }

  private static long read(MvccStore store, Random random, AtomicBoolean done) {
    long reads = 0;
    long newest = 0;
    do {
      try (ReadView view = store.view()) {
        assertThat(view.revision()).isGreaterThanOrEqualTo(newest);
        newest = view.revision();
        for (int i = 0; i < 20; i++) {
          long oldest = Math.max(1, view.compactRevision());
          long revision = random.nextBoolean() ? 0 : oldest + random.nextLong(view.revision() - oldest + 1);
          int group = random.nextInt(GROUPS);
          RangeResult result = view.range(new RangeQuery(key(group, 0), end(group), revision, 0, false));
          assertThat(result.count()).isIn(0L, (long) GROUP_SIZE);
          for (Record record : result.records()) {
            assertThat(new String(record.value(), StandardCharsets.UTF_8)).isEqualTo(Long.toString(record.main()));
            assertThat(record.main()).isEqualTo(result.records().getFirst().main());
          }
          reads++;
        }
        long total = view.range(new RangeQuery(new byte[] {0}, new byte[] {0}, 0, 0, true)).count();
        assertThat(total % GROUP_SIZE).isZero();
        if (random.nextInt(20) == 0) {
          List<Record> changes = view.changes(Math.max(1, view.compactRevision()), 50, 1 << 20);
          for (int i = 1; i < changes.size(); i++) {
            assertThat(changes.get(i).main()).isGreaterThanOrEqualTo(changes.get(i - 1).main());
          }
          assertThat(view.hash(0)).isEqualTo(view.hash(view.revision()));
        }
      }
    } while (!done.get());
    return reads;
  }
}
