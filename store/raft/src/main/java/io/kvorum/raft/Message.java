package io.kvorum.raft;

import java.util.List;

/**
 * What members say to each other. Field use by type is that of the Raft paper and thesis.
 *
 * @param type which message
 * @param from sender's member id
 * @param to receiver's member id
 * @param term sender's term (PRE_VOTE and a granting answer to it: the term that the candidate would campaign for); 0 in PROPOSE, READ_INDEX, its response and TRANSFER_LEADER
 * @param logTerm APPEND: term of the entry before the first; votes: term of the candidate's last entry, in their answers term at {@code commit}; a rejected APPEND_RESPONSE:
 *     term of the hint
 * @param index APPEND: index before the first entry; APPEND_RESPONSE: last index now matched, or the rejected index; votes: candidate's last index; READ_INDEX_RESPONSE: the read index
 * @param commit sender's commit index
 * @param reject the answer is no
 * @param rejectHint APPEND_RESPONSE: where the leader should try next (thesis' term-skipping hint)
 * @param context READ_INDEX, its response, HEARTBEAT and its response: identifies the read round; VOTE: 1 when the leader asked for this election (transfer)
 * @param entries APPEND: the entries; PROPOSE: forwarded proposals (term and index 0)
 * @param snapshot SNAPSHOT: what is being installed, else null
 */
public record Message(
    Type type,
    long from,
    long to,
    long term,
    long logTerm,
    long index,
    long commit,
    boolean reject,
    long rejectHint,
    long context,
    List<Entry> entries,
    SnapshotMeta snapshot) {
  /** The ordinals are part of the peer format. */
  public enum Type {
    APPEND,
    APPEND_RESPONSE,
    HEARTBEAT,
    HEARTBEAT_RESPONSE,
    PRE_VOTE,
    PRE_VOTE_RESPONSE,
    VOTE,
    VOTE_RESPONSE,
    /** Announces a snapshot; the transport carries its files with it. */
    SNAPSHOT,
    /** A follower hands proposals to the leader. */
    PROPOSE,
    READ_INDEX,
    READ_INDEX_RESPONSE,
    /** The leader tells a caught-up follower to campaign at once. */
    TIMEOUT_NOW,
    /** A follower forwards a transfer request to the leader ({@code context} = transferee). */
    TRANSFER_LEADER
  }
}
