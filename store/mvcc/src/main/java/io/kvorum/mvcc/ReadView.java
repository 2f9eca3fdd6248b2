package io.kvorum.mvcc;

import java.util.List;

/**
 * The store as it was when the newest batch was published: immutable, read without locks by any thread. An open view pins the segments that it
 * reads; close it soon. Records obtained from it die with it.
 */
public interface ReadView extends AutoCloseable {
  /** Newest revision in this view; 1 for an empty store. */
  long revision();

  /** Reads below it are refused; -1 before any compaction. */
  long compactRevision();

  /**
   * @throws RevisionException if the query's revision is below the compacted floor or above {@link #revision}
   */
  RangeResult range(RangeQuery query);

  /** Newest live record of a key at this view's revision, or null. */
  Record get(byte[] key);

  /**
   * The record of a key as of a main revision (its newest change at or below it), or null when it was absent or deleted then.
   *
   * @throws RevisionException as {@link #range}
   */
  Record getAt(byte[] key, long revision);

  /**
   * Changes in revision order from main revision {@code from} on, for watches: whole main revisions only, until {@code maxRevisions} distinct ones or
   * {@code maxBytes} are reached (at least one).
   *
   * @throws RevisionException.Compacted if {@code from} is below the compacted floor (equal is allowed)
   */
  List<Record> changes(long from, int maxRevisions, long maxBytes);

  /**
   * All records that logically survive compaction, whatever is still stored, in revision order, until the visitor says stop: what etcd would hold. The same ones each time.
   */
  void history(RevisionLog.Visitor visitor);

  /**
   * etcd's HashKV at a revision (BBOLT facts, section 4), over the rows that logically survive compaction. 0 = this view's revision.
   *
   * @throws RevisionException as {@link #range}
   */
  HashResult hash(long revision);

  /**
   * @param hash CRC-32C
   * @param compactRevision the floor, -1 before any compaction
   * @param hashRevision the revision that was hashed
   */
  record HashResult(int hash, long compactRevision, long hashRevision) {}

  @Override
  void close();
}
