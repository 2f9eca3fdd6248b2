package io.kvorum.raft.node;

/**
 * Receives the outcome of a linearizable read request, exactly once: on the raft thread, or at once on the asking thread when the member is the only
 * voter (everything acknowledged is published
 * there already), when too many wait or when it is stopping. Must not block and must not throw.
 */
public interface ReadCallback {
  /** Everything that was acknowledged before the request is applied and published. */
  void ready();

  /** The read cannot be served. */
  void failed(Failure reason);

  /** Why. */
  enum Failure {
    /** The leader changed while waiting. */
    LEADER_CHANGED,
    /** No quorum answered within the request limit. */
    TIMED_OUT,
    /** The member is stopping. */
    STOPPED,
    /** The queue of waiting reads is full. */
    TOO_MANY
  }
}
