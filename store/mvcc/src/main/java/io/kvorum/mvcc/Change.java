package io.kvorum.mvcc;

/**
 * One change that a write transaction made, on the heap, for watch delivery.
 *
 * @param delete a tombstone
 * @param key the key
 * @param main main revision
 * @param sub sub-revision
 * @param encoded the encoded mvccpb.KeyValue (for a delete: key and mod_revision only)
 * @param createRevision of the new record, 0 for a delete
 * @param version of the new record, 0 for a delete
 * @param lease lease of the new record, 0 for a delete
 * @param previousLease lease that the key had before, 0 for none or no key
 */
public record Change(
    boolean delete, byte[] key, long main, int sub, byte[] encoded, long createRevision, long version, long lease, long previousLease) {}
