package io.kvorum.raft.node;

import io.kvorum.raft.Membership;
import io.kvorum.raft.Role;
import java.util.Map;

/**
 * A consistent, immutable picture of one member's consensus state. Published by the raft thread, read by any.
 *
 * @param id this member
 * @param role its part
 * @param term its current term
 * @param leader the leader's id, 0 when none is known
 * @param lastIndex last index in its log
 * @param commit highest committed index that it knows of
 * @param applied highest applied index
 * @param membership the membership as applied
 * @param transferee member to which leadership is being moved, 0 for none
 * @param followers on the leader: progress by member id; elsewhere empty
 */
public record RaftStatus(
    long id,
    Role role,
    long term,
    long leader,
    long lastIndex,
    long commit,
    long applied,
    Membership membership,
    long transferee,
    Map<Long, FollowerProgress> followers) {
  /**
   * @param match highest index known to be durable on the follower
   * @param recentlyActive it answered within the last election timeout
   * @param snapshotting a snapshot is on its way
   */
  public record FollowerProgress(long match, boolean recentlyActive, boolean snapshotting) {}

  public boolean isLeader() {
    return role == Role.LEADER;
  }
}
