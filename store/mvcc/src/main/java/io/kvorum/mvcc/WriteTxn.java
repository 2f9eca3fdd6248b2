package io.kvorum.mvcc;

import java.util.List;

/**
 * One write transaction: all of its changes share one main revision with ascending sub-revisions. Used by the apply thread alone, one at a time. There is
 * no roll-back: the caller validates first.
 */
public interface WriteTxn {
  /** Newest revision that reads of this transaction see: the store's before the first change, the new one after it. */
  long revision();

  /** Whether anything was changed. */
  boolean changed();

  /** Puts a pair. The previous live record is available by {@link #get} before the call. */
  Change put(byte[] key, byte[] value, long lease);

  /**
   * Deletes the live keys of a range in key order, with one tombstone each.
   *
   * @param end as in {@link RangeQuery}
   * @return the changes; empty when nothing was there
   */
  List<Change> deleteRange(byte[] key, byte[] end);

  /**
   * Takes a change as another store made it: with its revision, encoded as there. Revisions ascend; main revisions may have gaps. In a transaction of copies alone,
   * whose {@link #end} returns nothing: the caller has the changes.
   *
   * @throws IllegalArgumentException if the revision is not above the store's, or behind what was copied before
   */
  void copy(Change change);

  /**
   * Among copies: no change up to this revision is missing. It becomes the newest one, whether or not it has a record.
   *
   * @throws IllegalArgumentException below a revision that the store or this transaction has
   */
  void advance(long revision);

  /** As {@link ReadView#range}, but sees this transaction's own changes. Records are valid until {@link #end}. */
  RangeResult range(RangeQuery query);

  /** Newest live record, own changes included, or null. Valid until {@link #end}. */
  Record get(byte[] key);

  /**
   * Ends the transaction. Its changes become visible to readers with the next {@link MvccStore#publish}.
   *
   * @return all changes in order; empty when nothing was changed (the revision then does not move)
   */
  List<Change> end();
}
