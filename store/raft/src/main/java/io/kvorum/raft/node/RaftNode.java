package io.kvorum.raft.node;

import io.kvorum.raft.Entry;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** One running member's consensus: the core, its log and its threads. All methods may be called by any thread. */
public interface RaftNode extends AutoCloseable {
  /** Starts threads and timers; entries that are already committed are applied first. */
  void start();

  /**
   * Hands a proposal to the log, or to the leader when this member follows. No answer: the proposer recognises the entry when it is applied, or
   * gives up. Without a leader it is kept back for
   * the request time limit.
   *
   * @return REFUSED when the queue is full or more than 5,000 committed entries wait to be applied; STOPPED when the member is stopping
   */
  ProposeResult propose(byte[] request);

  enum ProposeResult {
    ACCEPTED,
    REFUSED,
    STOPPED
  }

  /** Proposes a membership change; it waits while another is under way or leadership is being moved. Same rules as {@link #propose}. */
  ProposeResult proposeMembership(MembershipChange change);

  /** Asks for a linearizable read; at most 65,536 may wait. */
  void readIndex(ReadCallback callback);

  /**
   * Moves leadership. Completes with true once {@code target} leads in a later term; with false when it did not within an election timeout, or when
   * this member does not lead.
   *
   * @param target a voter, or 0 for the voter that is furthest ahead
   */
  CompletableFuture<Boolean> transferLeadership(long target);

  /**
   * Runs a short task on the raft thread, between two batches: what it sees of the state machine is exactly the effect of the entries up to the position that it is given. At most
   * 4,096 wait.
   *
   * @return fails with IllegalStateException when too many wait or the node stops, else with what the task threw
   */
  <T> CompletableFuture<T> atPosition(Function<SnapshotMeta, T> task);

  /** A message from the transport. Bounded queue: false means dropped. */
  boolean receive(Message message);

  /**
   * The transport has received all files of a snapshot.
   *
   * @param message the SNAPSHOT message that came with them
   * @param directory holds the files; installed or deleted by the node
   * @return completes with whether it was installed
   */
  CompletableFuture<Boolean> receiveSnapshot(Message message, Path directory);

  void reportUnreachable(long member);

  /** A snapshot transfer ended. */
  void reportSnapshot(long member, boolean installed);

  /** The connection from a peer was closed by its side: if it was the leader, campaign (pre-vote) at once. */
  void peerClosed(long member);

  /** Newest published status. */
  RaftStatus status();

  /** What went wrong when the node stopped by itself (a failed fsync, a removed member), else never completes. */
  CompletableFuture<Throwable> failure();

  /** Entries of the log from {@code from} on that are committed and still held, for dump-log. */
  List<Entry> committed(long from, long maxBytes);

  /** Stops threads; with everything applied that was committed. */
  @Override
  void close();
}
