package io.kvorum.mvcc;

import java.util.List;

/**
 * @param records the live records in key order, at most the query's limit
 * @param count number of live keys in the range, whatever the limit
 * @param more whether the limit cut something off
 */
public record RangeResult(List<Record> records, long count, boolean more) {}
