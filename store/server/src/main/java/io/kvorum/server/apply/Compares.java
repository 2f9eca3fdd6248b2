package io.kvorum.server.apply;

import com.google.protobuf.ByteString;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.Record;
import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.Compare.CompareTarget;
import java.util.Arrays;
import java.util.List;

/**
 * The comparisons of a transaction. A range holds when every key in it does; a key that is missing (or a range that is empty) compares as all zeros, except
 * that a comparison of its value never holds. A missing or mismatching operand is 0 or empty; an unknown result number always holds.
 */
final class Compares {
  private Compares() {}

  static boolean hold(KeyReader reader, List<Compare> compares) {
    for (Compare compare : compares) {
      if (!holds(reader, compare)) {
        return false;
      }
    }
    return true;
  }

  private static boolean holds(KeyReader reader, Compare compare) {
    byte[] key = compare.getKey().toByteArray();
    if (compare.getRangeEnd().isEmpty()) {
      Record record = reader.get(key);
      return record == null ? holdsForMissing(compare) : holds(record, compare);
    }
    List<Record> records = reader.range(new RangeQuery(key, compare.getRangeEnd().toByteArray(), 0, 0, false)).records();
    if (records.isEmpty()) {
      return holdsForMissing(compare);
    }
    for (Record record : records) {
      if (!holds(record, compare)) {
        return false;
      }
    }
    return true;
  }

  private static boolean holdsForMissing(Compare compare) {
    return compare.getTarget() != CompareTarget.VALUE && holds(Long.compare(0, operand(compare)), compare);
  }

  private static boolean holds(Record record, Compare compare) {
    int order =
        switch (compare.getTarget()) {
          case VERSION -> Long.compare(record.version(), operand(compare));
          case CREATE -> Long.compare(record.createRevision(), operand(compare));
          case MOD -> Long.compare(record.modRevision(), operand(compare));
          case LEASE -> Long.compare(record.lease(), operand(compare));
          case VALUE -> Arrays.compareUnsigned(record.value(), value(compare));
          case UNRECOGNIZED -> 0;
        };
    return holds(order, compare);
  }

  private static boolean holds(int order, Compare compare) {
    return switch (compare.getResult()) {
      case EQUAL -> order == 0;
      case NOT_EQUAL -> order != 0;
      case GREATER -> order > 0;
      case LESS -> order < 0;
      case UNRECOGNIZED -> true;
    };
  }

  /** The number to compare with: only the union member that fits the target counts, and the getters give 0 for one that is not set. */
  private static long operand(Compare compare) {
    return switch (compare.getTarget()) {
      case VERSION -> compare.getVersion();
      case CREATE -> compare.getCreateRevision();
      case MOD -> compare.getModRevision();
      case LEASE -> compare.getLease();
      case VALUE, UNRECOGNIZED -> 0;
    };
  }

  private static byte[] value(Compare compare) {
    ByteString value = compare.getValue();
    return value.toByteArray();
  }
}
