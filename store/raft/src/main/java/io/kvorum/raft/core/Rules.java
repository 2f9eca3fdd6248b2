package io.kvorum.raft.core;

/**
 * The decisions on which safety rests, each in a method of its own, so that a test can plant a wrong one and show that the simulator
 * notices. Production code only ever uses {@link #RAFT}.
 */
class Rules {
  static final Rules RAFT = new Rules();

  /**
   * Whether a vote may be given (Raft paper, 5.2 and 5.4.1).
   *
   * @param vote whom this member voted for in the term, 0 for nobody
   * @param leader leader that it knows in the term, 0 for none
   * @param upToDate the candidate's log is at least as up to date as ours
   */
  boolean grantsVote(long vote, long leader, long candidate, boolean upToDate) {
    return upToDate && (vote == candidate || (vote == 0 && leader == 0));
  }

  /** Whether promises (a vote, a matched index) wait until what they promise is durable. */
  boolean promisesWaitForDisk() {
    return true;
  }

  /** Whether a leader asks a quorum before it answers a linearizable read (thesis, 6.4). */
  boolean readsAskQuorum() {
    return true;
  }

  /** Whether a leader must commit an entry of its own term before it proposes a membership change, and count what it inherited as a pending one. */
  boolean changesWaitForOwnTerm() {
    return true;
  }

  /** Whether only entries of the leader's own term are committed by counting (paper, 5.4.2). */
  boolean countsOwnTermOnly() {
    return true;
  }
}
