package io.kvorum.mvcc.store;

import io.kvorum.mvcc.KeyValueCodec;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/** The naive store: all rows in revision order as etcd's data file holds them after each compaction has ended. */
final class StoreModel {
  record Row(byte[] key, long main, int sub, boolean tombstone, long create, long version, byte[] value, long lease) {
    byte[] encoded() {
      return tombstone ? KeyValueCodec.tombstone(key, main) : KeyValueCodec.put(key, create, main, version, value, lease);
    }

    /** As in etcd's bucket: a tombstone's value is the key alone. */
    byte[] stored() {
      return tombstone ? KeyValueCodec.put(key, 0, 0, 0, new byte[0], 0) : encoded();
    }
  }

  long revision = 1;
  long floor = -1;
  List<Row> rows = new ArrayList<>();
  private int sub;

  StoreModel copy() {
    StoreModel copy = new StoreModel();
    copy.revision = revision;
    copy.floor = floor;
    copy.rows = new ArrayList<>(rows);
    return copy;
  }

  NavigableMap<byte[], Row> at(long revision) {
    NavigableMap<byte[], Row> state = new TreeMap<>(Arrays::compareUnsigned);
    for (Row row : rows) {
      if (row.main <= revision) {
        state.put(row.key, row);
      }
    }
    state.values().removeIf(Row::tombstone);
    return state;
  }

  /** The present, with the running transaction's changes. */
  NavigableMap<byte[], Row> now() {
    return at(Long.MAX_VALUE);
  }

  void begin() {
    sub = 0;
  }

  Row put(byte[] key, byte[] value, long lease) {
    Row before = now().get(key);
    long create = before == null ? revision + 1 : before.create;
    Row row = new Row(key, revision + 1, sub++, false, create, before == null ? 1 : before.version + 1, value, lease);
    rows.add(row);
    return row;
  }

  void delete(byte[] key) {
    rows.add(new Row(key, revision + 1, sub++, true, 0, 0, new byte[0], 0));
  }

  void end() {
    revision += sub > 0 ? 1 : 0;
  }

  void compact(long at) {
    floor = at;
    Map<String, Row> newest = new HashMap<>();
    for (Row row : rows) {
      if (row.main <= at) {
        newest.put(Arrays.toString(row.key), row);
      }
    }
    rows.removeIf(
        row -> row.main <= at && (newest.get(Arrays.toString(row.key)) != row || row.tombstone && row.main < at));
  }

  /** etcd's HashKV over what is in the file. */
  int hash(long revision) {
    NavigableMap<byte[], Row> keep = at(revision);
    rows.stream().filter(row -> row.tombstone && row.main == revision).forEach(row -> keep.remove(row.key));
    CRC32C crc = new CRC32C();
    crc.update(new byte[] {'k', 'e', 'y'});
    for (Row row : rows) {
      boolean skipped = row.main > revision
          || row.main <= floor && !keep.isEmpty() && keep.get(row.key) != row
          || row.main == floor && row.tombstone;
      if (skipped) {
        continue;
      }
      crc.update(ByteBuffer.allocate(17).putLong(row.main).put((byte) '_').putLong(row.sub).flip());
      crc.update(row.tombstone ? new byte[] {'t'} : new byte[0]);
      crc.update(row.stored());
    }
    return (int) crc.getValue();
  }
}
