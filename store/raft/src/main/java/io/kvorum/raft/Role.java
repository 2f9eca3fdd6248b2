package io.kvorum.raft;

/** A member's part in the protocol. */
public enum Role {
  FOLLOWER,
  PRE_CANDIDATE,
  CANDIDATE,
  LEADER
}
