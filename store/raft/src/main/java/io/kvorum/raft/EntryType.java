package io.kvorum.raft;

/** What a log entry carries. The ordinals are part of the log and peer formats. */
public enum EntryType {
  /** A request for the state machine; empty data is the entry with which a leader opens its term. */
  NORMAL,
  /** A {@link MembershipChange} in its encoded form. */
  MEMBERSHIP
}
