package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.HardState;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import java.util.List;

/**
 * What the core wants done since it was last asked. The contract of order:
 *
 * <ol>
 *   <li>{@code send} may go out at once, while the disk works;
 *   <li>{@code install}, {@code hardState} and {@code append} are made durable, in this order and before those of any later Ready;
 *   <li>only then, with everything of this and all earlier Readys durable, {@code sendAfterPersist} goes out and {@link RaftCore#persisted}
 *       is called with the last entry of {@code append} (once for several Readys that one sync made durable, with the last entry of the
 *       newest);
 *   <li>{@code install} voids committed entries of earlier Readys that are not applied yet: the snapshot holds them. {@link
 *       RaftCore#installed} is called when state machine and log are replaced;
 *   <li>{@code committed} is applied in order; each MEMBERSHIP entry in it is answered by {@link RaftCore#applyMembership} and
 *       {@link RaftCore#applied} is called after the last one;
 *   <li>{@code reads} are answered once {@code applied >= index}.
 * </ol>
 *
 * @param hardState to be written, or null when unchanged; when it differs from the last one in {@code commit} alone it needs no sync of its own
 * @param append entries to be written; the first may overwrite an existing suffix of the log
 * @param install snapshot that replaces log and state machine, or null
 * @param send messages that depend on nothing that is not durable yet
 * @param sendAfterPersist messages that promise what this Ready makes durable
 * @param committed entries that are committed and durable here, next in order for the state machine
 * @param reads linearizable reads that may be answered, and those that were refused
 */
public record Ready(
    HardState hardState,
    List<Entry> append,
    SnapshotMeta install,
    List<Message> send,
    List<Message> sendAfterPersist,
    List<Entry> committed,
    List<ReadState> reads) {
  /**
   * Outcome of one read round.
   *
   * @param context what was given to {@link RaftCore#readIndex}
   * @param index the read may be answered once this index is applied; -1 when the round was lost (the leader changed): ask again
   */
  public record ReadState(long context, long index) {}
}
