package io.kvorum.server.apply;

import io.kvorum.protocol.internal.MachineState;
import io.kvorum.raft.node.RaftStatus;

/** One concern of the replicated state beside the key-value history. Called on the raft thread only. */
public interface MachinePart {
  /** Writes this part's state into a checkpoint. */
  void save(MachineState.Builder checkpoint);

  /** Replaces this part's state by that of a checkpoint or received snapshot; the default instance means a new, empty state. */
  void restore(MachineState checkpoint);

  /** Role, term or leader of this member changed. */
  default void leadershipChanged(RaftStatus status) {}
}
