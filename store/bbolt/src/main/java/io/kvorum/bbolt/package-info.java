/**
 * The file format of bbolt, in which etcd keeps its data and ships its snapshots: reading it, and writing whole files in one go.
 *
 * <p>A file is an array of pages; pages 0 and 1 are {@link io.kvorum.bbolt.Meta meta pages}, one of which names the root of a B+tree whose entries are buckets, each a B+tree of
 * its own. Numbers are little-endian. Nothing here opens files or knows what etcd puts into them.
 */
package io.kvorum.bbolt;
