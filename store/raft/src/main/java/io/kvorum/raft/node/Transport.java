package io.kvorum.raft.node;

import io.kvorum.raft.Message;
import java.util.List;

/**
 * Carries messages to other members: in order for each receiver, at most once, without waiting. What cannot be sent is dropped and reported to
 * {@link RaftNode#reportUnreachable}. A message of type SNAPSHOT starts a file transfer whose end is reported to {@link RaftNode#reportSnapshot}.
 */
public interface Transport {
  /** Never blocks; called on the raft thread or the log thread. */
  void send(List<Message> messages);
}
