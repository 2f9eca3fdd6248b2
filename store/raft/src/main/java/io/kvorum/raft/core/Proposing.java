package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.Message;
import io.kvorum.raft.Role;
import io.kvorum.raft.core.RaftCore.MembershipProposal;
import java.util.ArrayList;
import java.util.List;

/**
 * Takes requests into the log.
 *
 * <ol>
 *   <li>Leader: refuses while leadership is being moved, and while entries of more than {@code maxUncommittedBytes} wait for their commit;
 *       otherwise a batch enters the log as a whole.
 *   <li>Follower: hands the batch to the leader that it knows; the leader drops what it would refuse, so whoever carries messages asks {@link #takes} first.
 *   <li>Without a leader, refused.
 * </ol>
 */
final class Proposing {
  static final byte[] NOTHING = new byte[0];
  private final Parts parts;
  private long uncommittedBytes;
  private long countedTo;

  Proposing(Parts parts) {
    this.parts = parts;
  }

  /** What earlier leaders appended does not count. */
  void lead() {
    uncommittedBytes = 0;
    countedTo = parts.log.lastIndex();
  }

  boolean propose(List<byte[]> requests, long nowMillis) {
    if (requests.isEmpty()) {
      return true;
    }
    if (parts.roles.isLeader()) {
      if (!hasRoom()) {
        return false;
      }
      for (int i = 0; i < requests.size(); i++) {
        append(EntryType.NORMAL, requests.get(i), nowMillis);
      }
      return true;
    }
    if (!canForward()) {
      return false;
    }
    List<Entry> entries = new ArrayList<>(requests.size());
    for (byte[] request : requests) {
      entries.add(new Entry(0, 0, EntryType.NORMAL, nowMillis, request));
    }
    parts.outbox.send(parts.outbox.proposal(parts.roles.leader(), entries));
    return true;
  }

  MembershipProposal proposeMembership(byte[] change, long nowMillis) {
    if (parts.roles.isLeader()) {
      MembershipProposal verdict = parts.memberships.admits(parts.transfer.isUnderWay(), parts.replication.committedInTerm());
      if (verdict == MembershipProposal.ACCEPTED) {
        append(EntryType.MEMBERSHIP, change, nowMillis);
        parts.memberships.proposed(parts.log.lastIndex());
      }
      return verdict;
    }
    if (!canForward()) {
      return MembershipProposal.NO_LEADER;
    }
    List<Entry> entries = List.of(new Entry(0, 0, EntryType.MEMBERSHIP, nowMillis, change));
    parts.outbox.send(parts.outbox.proposal(parts.roles.leader(), entries));
    return MembershipProposal.FORWARDED;
  }

  void onPropose(Message m) {
    if (!parts.roles.isLeader() || !hasRoom()) {
      return;
    }
    for (Entry entry : m.entries()) {
      switch (entry.type()) {
        case NORMAL -> append(EntryType.NORMAL, entry.data(), entry.timeMillis());
        case MEMBERSHIP -> proposeMembership(entry.data(), entry.timeMillis());
      }
    }
  }

  void append(EntryType type, byte[] data, long nowMillis) {
    Entry entry = new Entry(parts.roles.term(), parts.log.lastIndex() + 1, type, nowMillis, data);
    parts.log.append(entry);
    parts.memberships.appended(entry);
    parts.replication.appended();
    uncommittedBytes += entry.sizeBytes();
  }

  /** Whether it leads and would append now what others hand to it. */
  boolean takes() {
    return parts.roles.isLeader() && hasRoom();
  }

  private boolean hasRoom() {
    return !parts.transfer.isUnderWay() && uncommittedBytes <= parts.config.maxUncommittedBytes();
  }

  private boolean canForward() {
    return parts.roles.role() == Role.FOLLOWER && parts.roles.leader() != 0;
  }

  /** Entries were committed. */
  void committed(List<Entry> entries) {
    for (int i = 0; i < entries.size(); i++) {
      Entry entry = entries.get(i);
      if (entry.index() > countedTo) {
        uncommittedBytes -= entry.sizeBytes();
      }
    }
  }
}
