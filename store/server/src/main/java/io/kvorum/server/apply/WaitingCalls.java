package io.kvorum.server.apply;

import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.EtcdError;

/** The calls of this member that wait for the outcome of an entry. Apply asks it; the way into the log fills it. */
public interface WaitingCalls {
  /** Nobody waits: for replay and tests. */
  WaitingCalls NONE = requestId -> null;

  /** The call that waits for this request, or null: it came from another member, was given up, or is being replayed. */
  Waiting find(long requestId);

  /** Called on the raft thread when role, term or leader of this member changed. */
  default void leadershipChanged(RaftStatus status) {}

  /** One waiting call; only the first outcome counts. Implementations never throw. */
  interface Waiting {
    /**
     * @param answer the response message
     */
    void succeeded(Object answer);

    void refused(EtcdError reason);
  }
}
