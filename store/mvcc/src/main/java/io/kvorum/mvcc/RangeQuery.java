package io.kvorum.mvcc;

/**
 * A read of one key or a range, as ETCD's RangeRequest means it. Keys are ordered as unsigned bytes.
 *
 * @param key first key, not empty
 * @param end null or empty: the single key; one zero byte: all keys from {@code key} on; else the exclusive end. An end at or below the key is an empty range
 * @param revision 0 or less: the view's revision
 * @param limit most records to return, 0 or less: no limit. The count ignores it
 * @param countOnly return the number of keys and no records
 */
public record RangeQuery(byte[] key, byte[] end, long revision, long limit, boolean countOnly) {}
