package io.kvorum.mvcc.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.mvcc.KeyValueCodec;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionLog;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** A model: the records that a log should hold, with the means to append them and to compare. */
final class History {
  record Row(byte[] key, long main, int sub, byte[] encoded, boolean tombstone, long lease) {}

  private final List<Row> rows = new ArrayList<>();
  private final Random random;
  private long nextMain = 2;

  History(long seed) {
    random = new Random(seed);
  }

  List<Row> rows() {
    return Collections.unmodifiableList(rows);
  }

  long lastMain() {
    return nextMain - 1;
  }

  /** One put in a main revision of its own. */
  void put(RevisionLog log, String key, int valueBytes, long lease) {
    byte[] value = new byte[valueBytes];
    random.nextBytes(value);
    byte[] name = key.getBytes(StandardCharsets.UTF_8);
    add(log, new Row(name, nextMain, 0, KeyValueCodec.put(name, nextMain, nextMain, 1, value, lease), false, lease));
    nextMain++;
  }

  void delete(RevisionLog log, String key) {
    byte[] name = key.getBytes(StandardCharsets.UTF_8);
    add(log, new Row(name, nextMain, 0, KeyValueCodec.tombstone(name, nextMain), true, 0));
    nextMain++;
  }

  /** Puts, deletes, transactions of several records, leases and gaps, mixed. */
  void mixed(RevisionLog log, int revisions, int valueBytesMax) {
    for (int i = 0; i < revisions; i++) {
      String key = "/registry/pods/" + random.nextInt(500);
      switch (random.nextInt(8)) {
        case 0 -> delete(log, key);
        case 1 -> transaction(log, 1 + random.nextInt(6), valueBytesMax);
        case 2 -> put(log, key, random.nextInt(valueBytesMax), 1 + random.nextInt(9));
        case 3 -> {
          nextMain += random.nextInt(3);
          put(log, key, random.nextInt(valueBytesMax), 0);
        }
        default -> put(log, key, random.nextInt(valueBytesMax), 0);
      }
    }
  }

  private void transaction(RevisionLog log, int records, int valueBytesMax) {
    for (int sub = 0; sub < records; sub++) {
      byte[] key = ("/registry/txn/" + random.nextInt(500) + "/" + sub).getBytes(StandardCharsets.UTF_8);
      byte[] value = new byte[random.nextInt(valueBytesMax)];
      random.nextBytes(value);
      add(log, new Row(key, nextMain, sub, KeyValueCodec.put(key, nextMain, nextMain, 1, value, 0), false, 0));
    }
    nextMain++;
  }

  private void add(RevisionLog log, Row row) {
    log.append(row.main(), row.sub(), row.key(), row.encoded(), row.tombstone(), row.lease());
    rows.add(row);
  }

  /** The model as it was when it held this many rows. */
  History prefix(int rowCount) {
    History prefix = new History(0);
    prefix.rows.addAll(rows.subList(0, rowCount));
    prefix.nextMain = rowCount == 0 ? 2 : rows.get(rowCount - 1).main() + 1;
    return prefix;
  }

  /** The model without some rows. */
  History without(java.util.function.Predicate<Row> dropped) {
    History rest = new History(0);
    rows.stream().filter(dropped.negate()).forEach(rest.rows::add);
    rest.nextMain = nextMain;
    return rest;
  }

  /** Every look-up, the scan and the keys agree with the model, and nothing else is there. */
  void assertHeldBy(RevisionLog log) {
    try (RevisionLog.View view = log.view()) {
      assertHeldBy(view);
    }
    assertThat(log.sizeBytes()).isEqualTo(rows.stream().mapToLong(row -> row.encoded().length).sum());
  }

  void assertHeldBy(RevisionLog.View view) {
    for (Row row : rows) {
      assertSame(view.find(row.main(), row.sub()), row);
      if (view.find(row.main(), row.sub() + 1) != null) {
        assertThat(rows).anyMatch(other -> other.main() == row.main() && other.sub() == row.sub() + 1);
      }
    }
    // Not nextMain: a transaction that met a full disk in its middle holds a part of it.
    assertThat(view.find(rows.isEmpty() ? 2 : rows.getLast().main() + 1, 0)).isNull();
    assertThat(view.find(0, 0)).isNull();
    List<Row> scan = new ArrayList<>(rows);
    Collections.reverse(scan);
    view.forEach(
        0,
        Long.MAX_VALUE,
        record -> {
          assertSame(record, scan.removeLast());
          return true;
        });
    assertThat(scan).isEmpty();
    assertKeys(view);
  }

  private void assertKeys(RevisionLog.View view) {
    Map<byte[], List<String>> expected = new TreeMap<>(Arrays::compareUnsigned);
    rows.forEach(row -> expected.computeIfAbsent(row.key(), key -> new ArrayList<>()).add(describe(row.key(), row.main(), row.sub(), row.tombstone(), row.lease())));
    List<String> found = new ArrayList<>();
    view.forEachKey((key, main, sub, tombstone, lease) -> found.add(describe(key, main, sub, tombstone, lease)));
    assertThat(found).isEqualTo(expected.values().stream().flatMap(List::stream).toList());
  }

  private static String describe(byte[] key, long main, int sub, boolean tombstone, long lease) {
    return new String(key, StandardCharsets.UTF_8) + " " + main + "." + sub + " " + tombstone + " " + lease;
  }

  private static void assertSame(Record found, Row row) {
    if (found == null) {
      throw new AssertionError("revision " + row.main() + "." + row.sub() + " is missing");
    }
    boolean same =
        found.main() == row.main()
            && found.sub() == row.sub()
            && found.tombstone() == row.tombstone()
            && found.lease() == row.lease()
            && Arrays.equals(found.toByteArray(), row.encoded())
            && Arrays.equals(found.key(), row.key());
    if (!same) {
      throw new AssertionError("revision " + row.main() + "." + row.sub() + " differs");
    }
  }
}
