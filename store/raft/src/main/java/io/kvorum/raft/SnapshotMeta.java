package io.kvorum.raft;

/**
 * Where a snapshot of the state machine stands.
 *
 * @param index last index that it contains
 * @param term term of that entry
 * @param membership the membership as of {@code index}
 */
public record SnapshotMeta(long index, long term, Membership membership) {
  public static final SnapshotMeta NONE = new SnapshotMeta(0, 0, Membership.EMPTY);
}
