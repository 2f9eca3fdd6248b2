package io.kvorum.mvcc.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.FailPoint;
import io.kvorum.mvcc.KeyValueCodec;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.RangeResult;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.mvcc.RevisionLog;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.mvcc.segment.SegmentedRevisionLog;
import io.kvorum.mvcc.store.StoreModel.Row;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Random histories of transactions, compactions, checkpoints and crashes against {@link StoreModel}. */
class StoreModelTest {
  private static final long WAIT_SECONDS = 20;

  /** Opens what the last checkpoint left. */
  private interface Disk {
    RevisionLog open() throws IOException;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void agreesWithTheModel(long seed) throws Exception {
    MemoryRevisionLog.Disk disk = new MemoryRevisionLog.Disk();
    List<MemoryRevisionLog> logs = new ArrayList<>();
    new Run(seed, () -> {
      logs.add(new MemoryRevisionLog(disk, seed + logs.size()));
      return logs.getLast();
    }).run(500);
    assertThat(logs).allMatch(log -> log.openViews() == 0);
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13})
  void agreesWithTheModelOnSegments(long seed, @TempDir Path directory) throws Exception {
    MvccOptions options = new MvccOptions(0, true, FailPoint.NONE);
    new Run(seed, () -> SegmentedRevisionLog.open(directory, options)).run(500);
  }

  private static final class Run {
    private final Random random;
    private final long seed;
    private final Disk disk;
    private VersionedStore store;
    private StoreModel model = new StoreModel();
    private StoreModel durable = new StoreModel();
    private long index;
    private ReadView kept;
    private StoreModel keptModel;

    Run(long seed, Disk disk) throws IOException {
      this.seed = seed;
      this.disk = disk;
      this.random = new Random(seed);
      open();
    }

    void run(int steps) throws Exception {
      for (int step = 0; step < steps; step++) {
        switch (random.nextInt(40)) {
          case 0 -> compact();
          case 1 -> checkpoint();
          case 2 -> {
            if (random.nextInt(3) == 0) {
              crash();
            }
          }
          case 3 -> keep();
          case 4 -> settle();
          case 5 -> {
            store.publish();
            check(model);
          }
          default -> transaction();
        }
      }
      store.publish();
      check(model);
      close();
    }

    private byte[] key() {
      return ("k" + random.nextInt(40)).getBytes(StandardCharsets.UTF_8);
    }

    private byte[] end() {
      return switch (random.nextInt(4)) {
        case 0 -> null;
        case 1 -> new byte[] {0};
        case 2 -> ("k" + random.nextInt(5)).getBytes(StandardCharsets.UTF_8);
        default -> key();
      };
    }

    private void transaction() {
      WriteTxn txn = store.begin();
      model.begin();
      long base = model.revision;
      List<Row> expected = new ArrayList<>();
      int operations = random.nextInt(4);
      for (int i = 0; i < operations; i++) {
        switch (random.nextInt(6)) {
          case 0 -> {
            byte[] key = key();
            byte[] end = random.nextInt(3) == 0 ? end() : null;
            List<Change> deleted = txn.deleteRange(key, end);
            List<byte[]> keys = new ArrayList<>(inRange(model.now(), key, end).keySet());
            assertThat(deleted.stream().map(Change::key).toList()).usingElementComparator(Arrays::compareUnsigned).isEqualTo(keys);
            keys.forEach(model::delete);
            expected.addAll(model.rows.subList(model.rows.size() - keys.size(), model.rows.size()));
          }
          case 1 -> {
            assertThat(txn.revision()).isEqualTo(expected.isEmpty() ? base : base + 1);
            checkRange(txn.range(new RangeQuery(key(), new byte[] {0}, 0, 0, true)), null, -1);
            byte[] key = key();
            byte[] end = end();
            checkRange(txn.range(new RangeQuery(key, end, 0, 3, false)), inRange(model.now(), key, end), 3);
            if (model.floor <= base) {
              long past = Math.max(1, Math.max(0, model.floor) + random.nextLong(base - Math.max(0, model.floor) + 1));
              checkRange(txn.range(new RangeQuery(key, end, past, 0, false)), inRange(model.at(past), key, end), 0);
            }
            assertThatThrownBy(() -> txn.range(new RangeQuery(key, end, base + 1, 0, false))).isInstanceOf(RevisionException.Future.class);
          }
          default -> {
            byte[] key = key();
            Row before = model.now().get(key);
            same(txn.get(key), before);
            byte[] value = new byte[random.nextInt(3) == 0 ? 0 : random.nextInt(200)];
            random.nextBytes(value);
            long lease = random.nextInt(3) == 0 ? random.nextLong() : 0;
            Change change = txn.put(key, value, lease);
            Row row = model.put(key, value, lease);
            expected.add(row);
            assertThat(change.createRevision()).isEqualTo(row.create());
            assertThat(change.version()).isEqualTo(row.version());
            assertThat(change.previousLease()).isEqualTo(before == null ? 0 : before.lease());
          }
        }
      }
      List<Change> changes = txn.end();
      model.end();
      assertThat(changes).hasSameSizeAs(expected);
      for (int i = 0; i < changes.size(); i++) {
        Row row = expected.get(i);
        assertThat(changes.get(i).main()).isEqualTo(row.main());
        assertThat(changes.get(i).sub()).isEqualTo(row.sub());
        assertThat(changes.get(i).encoded()).isEqualTo(row.encoded());
        assertThat(changes.get(i).delete()).isEqualTo(row.tombstone());
      }
    }

    private void compact() throws IOException {
      long at = random.nextLong(model.revision + 2);
      if (at > model.revision) {
        assertThatThrownBy(() -> store.compact(at)).isInstanceOf(RevisionException.Future.class);
      } else if (at <= model.floor) {
        assertThatThrownBy(() -> store.compact(at)).isInstanceOf(RevisionException.Compacted.class);
      } else {
        store.compact(at);
        model.compact(at);
        store.publish();
        assertThat(store.compactRevision()).isEqualTo(at);
        settleOrNot();
      }
    }

    private void settleOrNot() throws IOException {
      if (random.nextInt(4) > 0) {
        settle();
      }
    }

    /** The memory log's rewrite must not meet a write. */
    private void settle() throws IOException {
      store.publish();
      if (store.wantsCheckpoint()) {
        store.checkpoint(++index, 7, new byte[] {(byte) index});
        durable = model.copy();
      }
      store.physicalCompaction().orTimeout(WAIT_SECONDS, TimeUnit.SECONDS).join();
      assertThat(store.sizeInUseBytes()).as("seed %s", seed).isEqualTo(model.rows.stream().mapToLong(row -> row.encoded().length).sum());
      if (random.nextInt(4) == 0) {
        store.defragment().orTimeout(WAIT_SECONDS, TimeUnit.SECONDS).join();
        assertThat(store.sizeBytes()).isEqualTo(store.sizeInUseBytes());
      }
    }

    private void checkpoint() throws IOException {
      settle();
      store.checkpoint(++index, 7, new byte[] {(byte) index});
      durable = model.copy();
    }

    private void crash() throws IOException {
      if (random.nextBoolean()) {
        settle();
        for (int i = random.nextInt(8); i > 0; i--) {
          transaction();
        }
      }
      close();
      model = durable.copy();
      open();
      assertThat(store.checkpoint().index()).isEqualTo(index);
      List<String> leased = new ArrayList<>();
      store.forEachLeased((key, lease) -> leased.add(new String(key, StandardCharsets.UTF_8) + "=" + lease));
      List<String> expected = new ArrayList<>();
      model.now().values().stream()
          .filter(row -> row.lease() != 0)
          .forEach(row -> expected.add(new String(row.key(), StandardCharsets.UTF_8) + "=" + row.lease()));
      assertThat(leased).isEqualTo(expected);
      settle();
      check(model);
    }

    private void open() throws IOException {
      store = VersionedStore.open(disk.open(), Path.of("test"));
      kept = null;
    }

    private void close() {
      if (kept != null) {
        kept.close();
      }
      store.close();
    }

    private void keep() {
      if (kept != null) {
        checkView(kept, keptModel);
        kept.close();
      }
      store.publish();
      kept = store.view();
      keptModel = model.copy();
    }

    private void check(StoreModel expected) {
      try (ReadView view = store.view()) {
        checkView(view, expected);
      }
    }

    private void checkView(ReadView view, StoreModel expected) {
      assertThat(view.revision()).isEqualTo(expected.revision);
      assertThat(view.compactRevision()).isEqualTo(expected.floor);
      for (long revision = Math.max(0, expected.floor); revision <= expected.revision; revision += 1 + random.nextInt(20)) {
        checkAt(view, expected, revision);
      }
      checkAt(view, expected, expected.revision);
      assertThatThrownBy(() -> view.range(new RangeQuery(key(), null, expected.revision + 1, 0, false)))
          .isInstanceOf(RevisionException.Future.class);
      if (expected.floor > 1) {
        assertThatThrownBy(() -> view.range(new RangeQuery(key(), null, expected.floor - 1, 0, false)))
            .isInstanceOf(RevisionException.Compacted.class);
        assertThatThrownBy(() -> view.changes(expected.floor - 1, 1, 1)).isInstanceOf(RevisionException.Compacted.class);
        assertThatThrownBy(() -> view.hash(expected.floor - 1)).isInstanceOf(RevisionException.Compacted.class);
      }
      checkChanges(view, expected);
      checkHistory(view, expected);
    }

    /** Row by row what etcd's file would hold. */
    private void checkHistory(ReadView view, StoreModel expected) {
      List<String> rows = new ArrayList<>();
      view.history(
          record -> {
            String row = HexFormat.of().formatHex(KeyValueCodec.row(record).toArray(ValueLayout.JAVA_BYTE));
            return rows.add(record.main() + "." + record.sub() + (record.tombstone() ? "t " : " ") + row);
          });
      assertThat(rows)
          .as("seed %s", seed)
          .isEqualTo(
              expected.rows.stream()
                  .map(row -> row.main() + "." + row.sub() + (row.tombstone() ? "t " : " ") + HexFormat.of().formatHex(row.stored()))
                  .toList());
    }

    private void checkAt(ReadView view, StoreModel expected, long revision) {
      NavigableMap<byte[], Row> state = expected.at(revision == 0 ? expected.revision : revision);
      byte[] key = key();
      byte[] end = end();
      int limit = random.nextInt(5);
      NavigableMap<byte[], Row> inRange = inRange(state, key, end);
      checkRange(view.range(new RangeQuery(key, end, revision, limit, false)), inRange, limit);
      RangeResult counted = view.range(new RangeQuery(key, end, revision, limit, true));
      assertThat(counted.records()).isEmpty();
      assertThat(counted.count()).isEqualTo(inRange.size());
      if (revision > 0) {
        same(view.getAt(key, revision), state.get(key));
        ReadView.HashResult hash = view.hash(revision);
        assertThat(hash).as("seed %s", seed).isEqualTo(new ReadView.HashResult(expected.hash(revision), expected.floor, revision));
      }
    }

    private void checkChanges(ReadView view, StoreModel expected) {
      long from = Math.max(1, Math.max(0, expected.floor) + random.nextLong(expected.revision - Math.max(0, expected.floor) + 1));
      int maxRevisions = 1 + random.nextInt(10);
      long maxBytes = 1 + random.nextInt(2000);
      List<Row> rows = new ArrayList<>();
      long bytes = 0;
      int revisions = 0;
      for (Row row : expected.rows) {
        if (row.main() < from) {
          continue;
        }
        boolean next = rows.isEmpty() || rows.getLast().main() != row.main();
        if (next && !rows.isEmpty() && (revisions >= maxRevisions || bytes >= maxBytes)) {
          break;
        }
        revisions += next ? 1 : 0;
        bytes += row.encoded().length;
        rows.add(row);
      }
      List<Record> changes = view.changes(from, maxRevisions, maxBytes);
      assertThat(changes).as("seed %s changes from %s of %s", seed, from, expected.revision).hasSameSizeAs(rows);
      for (int i = 0; i < rows.size(); i++) {
        same(changes.get(i), rows.get(i));
      }
    }

    private static NavigableMap<byte[], Row> inRange(NavigableMap<byte[], Row> state, byte[] key, byte[] end) {
      if (end == null) {
        return state.subMap(key, true, key, true);
      }
      if (end.length == 1 && end[0] == 0) {
        return state.tailMap(key, true);
      }
      return Arrays.compareUnsigned(key, end) >= 0 ? new StoreModel().now() : state.subMap(key, true, end, false);
    }

    private static void checkRange(RangeResult result, NavigableMap<byte[], Row> expected, int limit) {
      if (limit < 0) {
        assertThat(result.records()).isEmpty();
        return;
      }
      assertThat(result.count()).isEqualTo(expected.size());
      int shown = limit == 0 ? expected.size() : Math.min(limit, expected.size());
      assertThat(result.more()).isEqualTo(shown < expected.size() && expected.size() > 0);
      assertThat(result.records()).hasSize(shown);
      int i = 0;
      for (Row row : expected.values()) {
        if (i < shown) {
          same(result.records().get(i++), row);
        }
      }
    }

    private static void same(Record record, Row row) {
      assertThat(record == null).isEqualTo(row == null);
      if (row != null) {
        assertThat(record.toByteArray()).isEqualTo(row.encoded());
        assertThat(record.main()).isEqualTo(row.main());
        assertThat(record.sub()).isEqualTo(row.sub());
        assertThat(record.tombstone()).isEqualTo(row.tombstone());
        assertThat(record.key()).isEqualTo(row.key());
        assertThat(record.createRevision()).isEqualTo(row.create());
        assertThat(record.version()).isEqualTo(row.version());
        assertThat(record.value()).isEqualTo(row.value());
        assertThat(record.lease()).isEqualTo(row.lease());
      }
    }
  }
}
