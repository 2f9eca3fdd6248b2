package io.kvorum.mvcc.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.RangeResult;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.mvcc.segment.SegmentedRevisionLog;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A store of which one prefix is copied into another, with its revisions: at each of them both must read alike. */
class CopiedStoreTest {
  private static final byte[] FROM = bytes("m");
  private static final byte[] TO = bytes("n");

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static VersionedStore memory(long seed) throws Exception {
    return VersionedStore.open(new MemoryRevisionLog(new MemoryRevisionLog.Disk(), seed), Path.of("memory"));
  }

  private static boolean mirrored(Change change) {
    return Arrays.compareUnsigned(change.key(), FROM) >= 0 && Arrays.compareUnsigned(change.key(), TO) < 0;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void readsAsItsSource(long seed) throws Exception {
    try (VersionedStore source = memory(seed);
        VersionedStore copy = memory(seed + 100)) {
      new Run(seed, source, copy).run(400);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {7, 8})
  void readsAsItsSourceOnSegments(long seed, @TempDir Path directory) throws Exception {
    RevisionLog log = SegmentedRevisionLog.open(directory, new MvccOptions(0, true, FailPoint.NONE));
    try (VersionedStore source = memory(seed);
        VersionedStore copy = VersionedStore.open(log, directory)) {
      new Run(seed, source, copy).run(400);
    }
  }

  private static final class Run {
    private final Random random;
    private final VersionedStore source;
    private final VersionedStore copy;
    private List<Change> waiting = new ArrayList<>();
    private long base;

    Run(long seed, VersionedStore source, VersionedStore copy) {
      this.random = new Random(seed);
      this.source = source;
      this.copy = copy;
    }

    void run(int steps) throws Exception {
      for (int i = 0; i < 60; i++) {
        write();
      }
      source.publish();
      takeBase();
      for (int step = 0; step < steps; step++) {
        switch (random.nextInt(12)) {
          case 0 -> compact();
          case 1, 2, 3 -> follow();
          default -> write();
        }
      }
      follow();
      compare();
      copy.physicalCompaction().get(20, TimeUnit.SECONDS);
      compare();
    }

    private byte[] key() {
      return bytes((random.nextInt(3) == 0 ? "m" : "x") + random.nextInt(30));
    }

    private void write() {
      WriteTxn txn = source.begin();
      for (int i = random.nextInt(4); i > 0; i--) {
        if (random.nextInt(4) == 0) {
          txn.deleteRange(key(), random.nextInt(4) == 0 ? new byte[] {0} : null);
        } else {
          txn.put(key(), new byte[random.nextInt(50)], random.nextInt(3));
        }
      }
      txn.end().stream().filter(CopiedStoreTest::mirrored).forEach(waiting::add);
    }

    private void takeBase() {
      WriteTxn txn = copy.begin();
      try (ReadView view = source.view()) {
        base = view.revision();
        List<Record> pairs = new ArrayList<>(view.range(new RangeQuery(FROM, TO, 0, 0, false)).records());
        pairs.sort(Comparator.comparingLong(Record::main).thenComparingLong(Record::sub));
        for (Record pair : pairs) {
          txn.copy(
              new Change(
                  false, pair.key(), pair.main(), (int) pair.sub(), pair.toByteArray(), pair.createRevision(), pair.version(), pair.lease(), 0));
        }
      }
      txn.advance(base);
      assertThat(txn.end()).isEmpty();
      copy.compact(base);
      copy.publish();
      waiting.clear();
      compare();
    }

    private void follow() {
      source.publish();
      WriteTxn txn = copy.begin();
      long before = copy.revision();
      waiting.forEach(txn::copy);
      txn.advance(source.revision());
      assertThat(txn.changed()).isEqualTo(source.revision() != before);
      txn.end();
      copy.publish();
      assertThat(copy.revision()).isEqualTo(source.revision());
      try (ReadView view = copy.view()) {
        List<String> told = view.changes(before + 1, Integer.MAX_VALUE, Long.MAX_VALUE).stream().map(Run::text).toList();
        assertThat(told).isEqualTo(waiting.stream().map(change -> new String(change.key(), StandardCharsets.UTF_8) + "@" + change.main() + change.delete()).toList());
      }
      waiting = new ArrayList<>();
    }

    private static String text(Record record) {
      return new String(record.key(), StandardCharsets.UTF_8) + "@" + record.main() + record.tombstone();
    }

    private void compact() {
      long newest = copy.revision();
      long floor = copy.compactRevision();
      if (newest > floor) {
        long at = floor + 1 + random.nextLong(newest - floor);
        copy.compact(at);
        copy.publish();
        assertThat(copy.compactRevision()).isEqualTo(at);
      }
    }

    private void compare() {
      try (ReadView there = source.view();
          ReadView here = copy.view()) {
        assertThat(here.compactRevision()).isGreaterThanOrEqualTo(base);
        for (long at = here.compactRevision(); at <= here.revision(); at++) {
          RangeResult expected = there.range(new RangeQuery(FROM, TO, at, 0, false));
          RangeResult found = here.range(new RangeQuery(FROM, TO, at, 0, false));
          assertThat(found.count()).isEqualTo(expected.count());
          assertThat(here.range(new RangeQuery(FROM, TO, at, 0, true)).count()).isEqualTo(expected.count());
          for (int i = 0; i < expected.records().size(); i++) {
            assertThat(found.records().get(i).toByteArray()).isEqualTo(expected.records().get(i).toByteArray());
          }
        }
        assertThatThrownBy(() -> here.range(new RangeQuery(FROM, TO, here.compactRevision() - 1, 0, false))).isInstanceOf(RevisionException.Compacted.class);
      }
    }
  }

  @Test
  void movesForwardWithoutAChangeAndRefusesWhatIsBehind() throws Exception {
    try (VersionedStore store = memory(1)) {
      WriteTxn txn = store.begin();
      txn.advance(10);
      assertThatThrownBy(() -> txn.advance(9)).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> txn.copy(new Change(true, FROM, 10, 0, new byte[0], 0, 0, 0, 0))).isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> txn.put(FROM, FROM, 0)).isInstanceOf(IllegalStateException.class);
      txn.end();
      store.publish();
      assertThat(store.revision()).isEqualTo(10);
      WriteTxn own = store.begin();
      own.put(FROM, FROM, 0);
      assertThatThrownBy(() -> own.advance(20)).isInstanceOf(IllegalStateException.class);
      own.end();
      store.publish();
      assertThat(store.revision()).isEqualTo(11);
    }
  }
}
