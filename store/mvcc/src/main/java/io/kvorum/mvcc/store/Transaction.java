package io.kvorum.mvcc.store;

import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.KeyValueCodec;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.RangeResult;
import io.kvorum.mvcc.Record;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.mvcc.index.KeyIndex;
import io.kvorum.mvcc.index.RevisionCursor;
import io.kvorum.mvcc.index.Scan;
import java.util.ArrayList;
import java.util.List;

/** The running transaction of the apply thread. */
final class Transaction implements WriteTxn {
  private static final byte[] NO_VALUE = new byte[0];

  private final VersionedStore store;
  private final KeyIndex index;
  private final AppendedRecords records;
  private final long base;
  private final long floor;
  private final List<Change> changes = new ArrayList<>(1);
  private final RevisionCursor cursor = new RevisionCursor();
  private boolean ended;

  /** Newest revision that was copied or advanced to; 0 in a transaction of own changes. */
  private long copied;

  /** Lowest main revision that a copy may still have. */
  private long lowest;

  /**
   * @param base the store's revision before the transaction
   * @param floor the compacted revision
   */
  Transaction(VersionedStore store, KeyIndex index, AppendedRecords records, long base, long floor) {
    this.store = store;
    this.index = index;
    this.records = records;
    this.base = base;
    this.floor = floor;
    this.lowest = base + 1;
  }

  @Override
  public long revision() {
    return copied > 0 ? copied : changes.isEmpty() ? base : base + 1;
  }

  @Override
  public boolean changed() {
    return revision() != base;
  }

  @Override
  public Change put(byte[] key, byte[] value, long lease) {
    checkOwn();
    if (key.length == 0) {
      throw new IllegalArgumentException("empty key");
    }
    byte[] stored = value == null ? NO_VALUE : value;
    long main = base + 1;
    long createRevision = main;
    long version = 1;
    long previousLease = 0;
    if (index.seek(key, cursor) && cursor.next() && !cursor.tombstone()) {
      Record previous = Reader.existing(records, cursor.main(), cursor.sub());
      createRevision = previous.createRevision();
      version = previous.version() + 1;
      previousLease = previous.lease();
    }
    byte[] encoded = KeyValueCodec.put(key, createRevision, main, version, stored, lease);
    return append(new Change(false, key, main, changes.size(), encoded, createRevision, version, lease, previousLease));
  }

  @Override
  public List<Change> deleteRange(byte[] key, byte[] end) {
    checkOwn();
    KeyRange range = KeyRange.of(key, end);
    if (range.single()) {
      return delete(key) ? List.of(changes.getLast()) : List.of();
    }
    // The scan must be over before the first change, which may alter nodes in place.
    List<byte[]> keys = new ArrayList<>();
    Scan scan = index.current().scan(range.from(), range.to());
    while (scan.nextLive(Reader.NEWEST, cursor)) {
      keys.add(scan.key());
    }
    int before = changes.size();
    keys.forEach(this::delete);
    return List.copyOf(changes.subList(before, changes.size()));
  }

  private boolean delete(byte[] key) {
    if (!index.seek(key, cursor) || !cursor.next() || cursor.tombstone()) {
      return false;
    }
    long previousLease = Reader.existing(records, cursor.main(), cursor.sub()).lease();
    long main = base + 1;
    byte[] encoded = KeyValueCodec.tombstone(key, main);
    append(new Change(true, key, main, changes.size(), encoded, 0, 0, 0, previousLease));
    return true;
  }

  /** Takes a change of the key that the index last sought. */
  private Change append(Change change) {
    records.append(change.main(), change.sub(), change.key(), change.encoded(), change.delete(), change.lease());
    index.add(change.main(), change.sub(), change.delete());
    changes.add(change);
    store.added(change.encoded().length);
    return change;
  }

  @Override
  public void copy(Change change) {
    checkCopy(change.main());
    index.seek(change.key(), cursor);
    records.append(change.main(), change.sub(), change.key(), change.encoded(), change.delete(), change.lease());
    index.add(change.main(), change.sub(), change.delete());
    store.added(change.encoded().length);
    copied = change.main();
    lowest = copied;
  }

  @Override
  public void advance(long revision) {
    checkCopy(revision + 1);
    copied = revision;
    lowest = revision + 1;
  }

  private void checkCopy(long main) {
    checkOpen();
    if (!changes.isEmpty()) {
      throw new IllegalStateException("copies and own changes do not mix");
    }
    if (main < lowest) {
      throw new IllegalArgumentException("revision " + main + " is below " + lowest);
    }
  }

  @Override
  public RangeResult range(RangeQuery query) {
    checkOpen();
    long revision = Reader.NEWEST;
    if (query.revision() > 0) {
      // An explicit revision means the state before the transaction at the latest, as in etcd.
      Reader.check(query.revision(), floor, base);
      revision = query.revision();
    }
    return reader().range(query, revision);
  }

  @Override
  public Record get(byte[] key) {
    checkOpen();
    return reader().get(key, Reader.NEWEST);
  }

  @Override
  public List<Change> end() {
    checkOpen();
    ended = true;
    store.ended(revision());
    return changes;
  }

  private Reader reader() {
    return new Reader(index.current(), records);
  }

  private void checkOwn() {
    checkOpen();
    if (copied > 0) {
      throw new IllegalStateException("copies and own changes do not mix");
    }
  }

  private void checkOpen() {
    if (ended) {
      throw new IllegalStateException("the transaction has ended");
    }
  }
}
