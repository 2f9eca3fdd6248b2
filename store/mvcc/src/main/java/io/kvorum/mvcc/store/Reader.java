package io.kvorum.mvcc.store;

import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.RangeResult;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.RevisionException;
import io.kvorum.mvcc.index.IndexView;
import io.kvorum.mvcc.index.RevisionCursor;
import io.kvorum.mvcc.index.Scan;
import java.util.ArrayList;
import java.util.List;

/** Reads of keys and ranges: the index says which revisions, the log gives their records. */
final class Reader {
  /** Where records come from. */
  @FunctionalInterface
  interface Records {
    /** Null if the log does not hold it. */
    Record find(long main, int sub);
  }

  /** Revision that means the present: what the index holds as newest, unpublished changes included. */
  static final long NEWEST = Long.MAX_VALUE;

  private static final int FIRST_CAPACITY = 16;

  private final IndexView index;
  private final Records records;

  Reader(IndexView index, Records records) {
    this.index = index;
    this.records = records;
  }

  /**
   * @throws RevisionException if a revision is asked that cannot be served
   */
  static void check(long revision, long floor, long newest) {
    if (revision > newest) {
      throw new RevisionException.Future();
    }
    if (revision < floor) {
      throw new RevisionException.Compacted(floor);
    }
  }

  /** The query's revision stands for itself here: {@code revision} is what is read. */
  RangeResult range(RangeQuery query, long revision) {
    KeyRange range = KeyRange.of(query.key(), query.end());
    if (range.single()) {
      return single(query, revision);
    }
    if (query.countOnly()) {
      return new RangeResult(List.of(), index.count(range.from(), range.to(), revision), false);
    }
    long limit = query.limit() <= 0 ? Long.MAX_VALUE : query.limit();
    List<Record> found = new ArrayList<>((int) Math.min(limit, FIRST_CAPACITY));
    Scan scan = index.scan(range.from(), range.to());
    RevisionCursor at = new RevisionCursor();
    while (found.size() < limit && scan.nextLive(revision, at)) {
      found.add(existing(at));
    }
    long count = found.size() < limit ? found.size() : index.count(range.from(), range.to(), revision);
    return new RangeResult(found, count, count > found.size());
  }

  private RangeResult single(RangeQuery query, long revision) {
    RevisionCursor at = new RevisionCursor();
    if (!index.find(query.key(), revision, at) || at.tombstone()) {
      return new RangeResult(List.of(), 0, false);
    }
    return new RangeResult(query.countOnly() ? List.of() : List.of(existing(at)), 1, false);
  }

  /** The live record of a key at a revision, or null. */
  Record get(byte[] key, long revision) {
    RevisionCursor at = new RevisionCursor();
    return index.find(key, revision, at) && !at.tombstone() ? existing(at) : null;
  }

  private Record existing(RevisionCursor at) {
    return existing(records, at.main(), at.sub());
  }

  /** A record that the index names: the log must hold it. */
  static Record existing(Records records, long main, int sub) {
    Record record = records.find(main, sub);
    if (record == null) {
      throw new IllegalStateException("the index names revision " + main + "." + sub + " but the log does not hold it");
    }
    return record;
  }
}
