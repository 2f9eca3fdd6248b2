/**
 * The versioned store: transactions, published views, compaction and the content hash, on top of the key index and the revision log.
 *
 * <p>One apply thread writes. A transaction appends records to the log and their revisions to the index; {@code publish} hands out the index root together
 * with a pinned view of the log, which is all that readers see.
 */
package io.kvorum.mvcc.store;
