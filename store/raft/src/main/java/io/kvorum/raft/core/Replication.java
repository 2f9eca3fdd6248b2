package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.Membership;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.node.RaftStatus;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The leader's side of the log (paper, 5.3): what each follower has, what it is sent, what is committed.
 *
 * <ol>
 *   <li>Everything that is due goes out when the driver asks for the next Ready, so that proposals of one batch share messages. The
 *       leader's own disk works meanwhile.
 *   <li>A follower in PROBE gets one message and must answer; one that answers yes gets REPLICATE, one that refuses says up to where its
 *       log may match.
 *   <li>A follower whose next entry was cut gets the newest snapshot.
 *   <li>Committed is what a majority of voters has made durable, provided that the entry is of this term; the leader counts its own durable
 *       entries only.
 *   <li>Followers learn of a new commit index by the next message with entries or, without any, by an empty one.
 *   <li>A leader that has not heard from a majority within an election timeout stops leading.
 * </ol>
 *
 * A sole voter becomes leader before its term is durable. Until then it promises: entries that a learner holds must never be written anew
 * under the same term after a crash.
 */
final class Replication {
  private final Parts parts;
  private final Map<Long, Progress> byId = new HashMap<>();
  private Progress[] followers = new Progress[0];
  private long[] scratch = new long[8];
  private long termStart;
  private boolean due;
  private List<Entry> slice;
  private long sliceFrom;
  private Map<Long, RaftStatus.FollowerProgress> pictures = Map.of();
  private boolean picturesStale;

  Replication(Parts parts) {
    this.parts = parts;
  }

  /** The first entry of the term is about to be appended. */
  void lead(long firstIndexOfTerm) {
    termStart = firstIndexOfTerm;
    byId.clear();
    adopt(parts.memberships.current());
    byId.values().forEach(p -> p.recentlyActive = false);
  }

  void stop() {
    byId.clear();
    followers = new Progress[0];
    pictures = Map.of();
    picturesStale = false;
    due = false;
  }

  /** Follows a changed membership. */
  void adopt(Membership membership) {
    byId.keySet().removeIf(id -> !membership.contains(id));
    membership.voters().forEach(this::ensure);
    membership.learners().forEach(this::ensure);
    followers = byId.values().toArray(new Progress[0]);
    Arrays.sort(followers, (a, b) -> Long.compareUnsigned(a.id, b.id));
    picturesStale = true;
    due = true;
  }

  private void ensure(long id) {
    if (id != parts.id && !byId.containsKey(id)) {
      Progress p = new Progress(id, parts.log.lastIndex() + 1, parts.config.maxInflightMessages(), parts.config.maxInflightBytes());
      p.recentlyActive = true;
      byId.put(id, p);
    }
  }

  long firstOfTerm() {
    return termStart;
  }

  boolean committedInTerm() {
    return parts.log.commit() >= termStart;
  }

  boolean isCaughtUp(long id) {
    Progress p = byId.get(id);
    return p != null && p.match() == parts.log.lastIndex();
  }

  /** The voter with the highest match among those that were heard lately, 0 for none. */
  long furthestVoter() {
    Progress best = null;
    for (Progress p : followers) {
      if (parts.memberships.current().isVoter(p.id) && p.recentlyActive && (best == null || p.match() > best.match())) {
        best = p;
      }
    }
    return best == null ? 0 : best.id;
  }

  /** Asks a follower at once whether it has everything. */
  void poke(long id) {
    Progress p = byId.get(id);
    p.poke = p.match() < parts.log.lastIndex();
    due = true;
  }

  /** There may be something to send. */
  void appended() {
    due = true;
  }

  void flush() {
    if (!due) {
      return;
    }
    due = false;
    for (Progress p : followers) {
      sendTo(p);
    }
    slice = null;
  }

  private void sendTo(Progress p) {
    while (!p.isPaused() && (p.next() <= parts.log.lastIndex() || p.state() == Progress.State.PROBE)) {
      if (!sendAppend(p, true)) {
        return;
      }
    }
    if (p.state() == Progress.State.REPLICATE && (p.poke || p.sentCommit < parts.log.commit())) {
      sendAppend(p, false);
    }
  }

  private boolean sendAppend(Progress p, boolean withEntries) {
    RaftLog log = parts.log;
    long previous = p.next() - 1;
    if (previous < log.firstIndex() - 1) {
      sendSnapshot(p);
      return false;
    }
    List<Entry> entries = withEntries && p.next() <= log.lastIndex() ? entriesFrom(p.next()) : List.of();
    long bytes = 0;
    for (int i = 0; i < entries.size(); i++) {
      bytes += entries.get(i).sizeBytes();
    }
    Message m = parts.outbox.append(p.id, parts.roles.term(), previous, log.term(previous), log.commit(), entries);
    if (log.persisted() < termStart && parts.rules.promisesWaitForDisk()) {
      parts.outbox.promise(m);
    } else {
      parts.outbox.send(m);
    }
    p.sentCommit = log.commit();
    p.sent(previous + entries.size(), entries.size(), bytes);
    return true;
  }

  /** Followers that are equally far share one list. */
  private List<Entry> entriesFrom(long from) {
    if (slice == null || sliceFrom != from) {
      slice = parts.log.entries(from, parts.log.lastIndex() + 1, parts.config.maxMessageBytes());
      sliceFrom = from;
    }
    return slice;
  }

  private void sendSnapshot(Progress p) {
    SnapshotMeta meta = parts.snapshots.get();
    if (!p.recentlyActive || meta.index() == 0 || meta.index() < parts.log.firstIndex() - 1) {
      return;
    }
    parts.outbox.send(parts.outbox.snapshot(p.id, parts.roles.term(), parts.log.commit(), meta));
    p.toSnapshot(meta.index());
    picturesStale = true;
  }

  void onAppendResponse(Message m) {
    Progress p = heard(m.from());
    if (p == null || m.index() > parts.log.lastIndex()) {
      return;
    }
    if (m.reject()) {
      long hint = m.logTerm() > 0 ? parts.log.lastAtOrBelowTerm(m.rejectHint(), m.logTerm()) : m.rejectHint();
      if (p.rejected(m.index(), hint)) {
        due = true;
      }
      return;
    }
    Progress.State before = p.state();
    boolean news = p.matched(m.index(), parts.log.firstIndex());
    due = true;
    if (news || before != p.state()) {
      picturesStale = true;
      maybeCommit();
      if (p.id == parts.transfer.transferee()) {
        parts.transfer.advance();
      }
    }
  }

  void onHeartbeatResponse(Message m) {
    Progress p = heard(m.from());
    if (p == null) {
      return;
    }
    p.heartbeatAnswered(parts.log.lastIndex());
    if (p.poke || p.state() == Progress.State.PROBE) {
      due = true;
    }
    if (m.context() > p.confirmedRound) {
      p.confirmedRound = m.context();
      parts.reads.confirmed();
    }
  }

  private Progress heard(long id) {
    Progress p = byId.get(id);
    if (p != null && !p.recentlyActive) {
      p.recentlyActive = true;
      picturesStale = true;
      due = true;
    }
    return p;
  }

  /** Own entries became durable, or the quorum changed. */
  void maybeCommit() {
    int voters = collect(false);
    if (voters == 0) {
      return;
    }
    long index = scratch[voters - parts.memberships.current().quorum()];
    if ((index >= termStart || !parts.rules.countsOwnTermOnly()) && parts.log.commitTo(index)) {
      due = true;
    }
  }

  /** Newest read round that a majority, this member included, confirmed. */
  long confirmedRound() {
    int voters = collect(true);
    return voters == 0 ? 0 : scratch[voters - parts.memberships.current().quorum()];
  }

  /** Fills {@code scratch} with the voters' marks, ascending. */
  private int collect(boolean rounds) {
    int count = 0;
    Membership membership = parts.memberships.current();
    if (scratch.length < membership.voters().size()) {
      scratch = new long[membership.voters().size() * 2];
    }
    if (membership.isVoter(parts.id)) {
      long own = parts.rules.promisesWaitForDisk() ? parts.log.persisted() : parts.log.lastIndex();
      scratch[count++] = rounds ? Long.MAX_VALUE : own;
    }
    for (Progress p : followers) {
      if (membership.isVoter(p.id)) {
        scratch[count++] = rounds ? p.confirmedRound : p.match();
      }
    }
    Arrays.sort(scratch, 0, count);
    return count;
  }

  void heartbeat(long round) {
    for (Progress p : followers) {
      long commit = Math.min(p.match(), parts.log.commit());
      parts.outbox.send(parts.outbox.plain(Message.Type.HEARTBEAT, p.id, parts.roles.term(), commit, round));
    }
  }

  /** Whether a majority was heard since the last check. */
  boolean checkQuorum() {
    Membership membership = parts.memberships.current();
    int active = membership.isVoter(parts.id) ? 1 : 0;
    for (Progress p : followers) {
      if (p.recentlyActive && membership.isVoter(p.id)) {
        active++;
      }
      p.recentlyActive = false;
    }
    picturesStale = true;
    return active >= membership.quorum();
  }

  void unreachable(long id) {
    Progress p = byId.get(id);
    if (p != null) {
      p.unreachable();
    }
  }

  void snapshotEnded(long id, boolean installed) {
    Progress p = byId.get(id);
    if (p != null) {
      p.snapshotEnded(installed);
      picturesStale = true;
    }
  }

  /** Changes only when something in it changed. */
  Map<Long, RaftStatus.FollowerProgress> pictures() {
    if (picturesStale) {
      Map<Long, RaftStatus.FollowerProgress> map = HashMap.newHashMap(followers.length);
      for (Progress p : followers) {
        map.put(p.id, p.picture());
      }
      pictures = java.util.Collections.unmodifiableMap(map);
      picturesStale = false;
    }
    return pictures;
  }
}
