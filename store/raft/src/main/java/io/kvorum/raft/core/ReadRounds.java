package io.kvorum.raft.core;

import io.kvorum.raft.Message;
import io.kvorum.raft.Role;
import io.kvorum.raft.core.Ready.ReadState;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Linearizable reads without the log (ReadIndex, thesis 6.4).
 *
 * <ol>
 *   <li>Without a leader reads wait until there is one. More than 65,536 are refused (index -1).
 *   <li>A follower asks the leader for an index, once for all reads that came together. When leader or term change before the answer the
 *       reads are lost (index -1). A request or answer that gets lost on the way is not missed here: the driver asks again.
 *   <li>A leader that has not committed an entry of its term keeps reads until it has: its commit index may be old before.
 *   <li>It then notes its commit index and sends a round of heartbeats with the round's number; all reads that wait share it. A majority's
 *       answers show that no later leader had committed anything when the round began; they confirm earlier rounds too. At most 8 rounds
 *       are under way, later reads wait for the next.
 *   <li>A sole voter answers at once.
 * </ol>
 */
final class ReadRounds {
  static final int WAITING_MAX = 65_536;
  private static final int ROUNDS_MAX = 8;
  private static final int FORWARDED_MAX = 4_096;

  /** Reads of this member ({@code from} 0, the driver's contexts) or of a follower (its context). */
  private record Asked(long from, long context) {}

  private record Round(long number, long index, List<Asked> reads) {}

  private final Parts parts;
  private List<Asked> waiting = new ArrayList<>();
  private final ArrayDeque<Round> rounds = new ArrayDeque<>();
  private final Map<Long, List<Asked>> forwarded = new LinkedHashMap<>();
  private List<ReadState> states = List.of();
  private int held;
  private long roundNumber;
  private long wireContext;

  /**
   * @param firstContext contexts sent to a leader are counted from here; differs between restarts, so that a late answer is not taken for a
   *     new one's
   */
  ReadRounds(Parts parts, long firstContext) {
    this.parts = parts;
    this.wireContext = firstContext;
  }

  boolean hasStates() {
    return !states.isEmpty();
  }

  List<ReadState> takeStates() {
    List<ReadState> taken = states;
    states = List.of();
    return taken;
  }

  void ask(long context) {
    if (held >= WAITING_MAX) {
      answer(new Asked(0, context), -1);
      return;
    }
    held++;
    waiting.add(new Asked(0, context));
  }

  void onReadIndex(Message m) {
    if (parts.roles.isLeader() && held < WAITING_MAX) {
      held++;
      waiting.add(new Asked(m.from(), m.context()));
    }
  }

  void onReadIndexResponse(Message m) {
    List<Asked> reads = forwarded.remove(m.context());
    if (reads != null) {
      finish(reads, m.reject() ? -1 : m.index());
    }
  }

  /** Number of the newest round that is under way, 0 for none: heartbeats repeat it in case that messages were lost. */
  long newestRound() {
    return rounds.isEmpty() ? 0 : rounds.peekLast().number();
  }

  /** Starts what can be started. */
  void flush() {
    if (waiting.isEmpty()) {
      return;
    }
    if (parts.roles.isLeader()) {
      lead();
    } else if (parts.roles.role() == Role.FOLLOWER && parts.roles.leader() != 0) {
      forward();
    }
  }

  private void lead() {
    if (!parts.replication.committedInTerm()) {
      return;
    }
    long index = parts.log.commit();
    if (parts.memberships.isSoleVoter(parts.id) || !parts.rules.readsAskQuorum()) {
      finish(takeWaiting(), index);
    } else if (rounds.size() < ROUNDS_MAX) {
      rounds.add(new Round(++roundNumber, index, takeWaiting()));
      parts.replication.heartbeat(roundNumber);
    }
  }

  private void forward() {
    if (forwarded.size() >= FORWARDED_MAX) {
      Long oldest = forwarded.keySet().iterator().next();
      finish(forwarded.remove(oldest), -1);
    }
    forwarded.put(++wireContext, takeWaiting());
    parts.outbox.send(parts.outbox.plain(Message.Type.READ_INDEX, parts.roles.leader(), 0, 0, wireContext));
  }

  private List<Asked> takeWaiting() {
    List<Asked> taken = waiting;
    waiting = new ArrayList<>();
    return taken;
  }

  /** Another member confirmed a round, or the quorum changed. */
  void confirmed() {
    if (rounds.isEmpty()) {
      return;
    }
    long number = parts.memberships.isSoleVoter(parts.id) ? Long.MAX_VALUE : parts.replication.confirmedRound();
    while (!rounds.isEmpty() && rounds.peekFirst().number() <= number) {
      Round done = rounds.removeFirst();
      finish(done.reads(), done.index());
    }
  }

  /** Term, role or leader changed: what was asked of the old leader is lost, what waits for one goes on waiting. */
  void leaderChanged() {
    for (Round round : rounds) {
      finish(round.reads(), -1);
    }
    rounds.clear();
    for (List<Asked> reads : forwarded.values()) {
      finish(reads, -1);
    }
    forwarded.clear();
    List<Asked> own = new ArrayList<>();
    for (Asked asked : waiting) {
      if (asked.from() == 0) {
        own.add(asked);
      } else {
        finish(List.of(asked), -1);
      }
    }
    waiting = own;
  }

  private void finish(List<Asked> reads, long index) {
    held -= reads.size();
    for (Asked asked : reads) {
      answer(asked, index);
    }
  }

  private void answer(Asked asked, long index) {
    if (asked.from() != 0) {
      parts.outbox.send(parts.outbox.readAnswer(asked.from(), asked.context(), index));
      return;
    }
    if (states.isEmpty()) {
      states = new ArrayList<>();
    }
    states.add(new ReadState(asked.context(), index));
  }
}
