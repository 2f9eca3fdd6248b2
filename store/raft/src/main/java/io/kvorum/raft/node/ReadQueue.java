package io.kvorum.raft.node;

import io.kvorum.raft.core.RaftCore;
import io.kvorum.raft.core.Ready.ReadState;
import io.kvorum.raft.node.ReadCallback.Failure;
import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Linearizable reads that wait.
 *
 * <ol>
 *   <li>Without a leader reads wait for one, until their time is over (TIMED_OUT).
 *   <li>With one, all that wait make a round; one round is asked at a time, and asked again when no answer comes within the retry time.
 *   <li>A round whose leader or term changes fails at once (LEADER_CHANGED), once the new leader is known; under the same leader in the same
 *       term it is asked again.
 *   <li>An answered round's reads are ready once its index is applied.
 * </ol>
 */
final class ReadQueue {
  private record Waiting(ReadCallback callback, long deadlineNanos) {}

  private record Confirmed(long index, ArrayDeque<Waiting> reads) {}

  private final DriverOptions options;
  private final TimeSource time;
  private final MpscQueue<Waiting> queued;
  private final AtomicInteger count = new AtomicInteger();

  // Raft thread only.
  private ArrayDeque<Waiting> waiting = new ArrayDeque<>();
  private final ArrayDeque<Confirmed> confirmed = new ArrayDeque<>();
  private ArrayDeque<Waiting> round = new ArrayDeque<>();
  private long roundFirstContext;
  private long roundTerm;
  private long askedNanos;
  private boolean asked;
  private long context;

  /**
   * @param firstContext contexts are counted from here
   */
  ReadQueue(DriverOptions options, TimeSource time, long firstContext) {
    this.options = options;
    this.time = time;
    this.queued = new MpscQueue<>(options.maxReads());
    this.context = firstContext;
  }

  /** Any thread. Returns false when too many wait. */
  boolean offer(ReadCallback callback) {
    long deadline = time.nanoTime() + options.requestTimeoutMillis() * 1_000_000L;
    if (count.incrementAndGet() > options.maxReads() || !queued.offer(new Waiting(callback, deadline))) {
      count.decrementAndGet();
      return false;
    }
    return true;
  }

  boolean hasNew() {
    return !queued.isEmpty();
  }

  /** Asks for what can be asked, fails what must fail. Called after everything that may have changed the leader. */
  void advance(RaftCore core) {
    for (Waiting next = queued.poll(); next != null; next = queued.poll()) {
      waiting.add(next);
    }
    if (waiting.isEmpty() && round.isEmpty() && confirmed.isEmpty()) {
      return;
    }
    long now = time.nanoTime();
    expire(now);
    RaftStatus status = core.status();
    if (status.leader() == 0) {
      return;
    }
    if (!round.isEmpty() && roundTerm != status.term()) {
      fail(round, Failure.LEADER_CHANGED);
    }
    if (round.isEmpty() && !waiting.isEmpty()) {
      round = waiting;
      waiting = new ArrayDeque<>();
      roundTerm = status.term();
      roundFirstContext = context + 1;
      asked = false;
    }
    if (!round.isEmpty() && (!asked || now - askedNanos >= options.readRetryMillis() * 1_000_000L)) {
      asked = true;
      askedNanos = now;
      core.readIndex(++context);
    }
  }

  /** An answer of the core. */
  void answered(ReadState state) {
    if (round.isEmpty() || state.context() < roundFirstContext || state.context() > context) {
      return;
    }
    if (state.index() < 0) {
      asked = state.context() != context && asked;
      return;
    }
    confirmed.add(new Confirmed(state.index(), round));
    round = new ArrayDeque<>();
  }

  /** Whether a read waits for anything but its index to be applied. */
  boolean isAsking() {
    return !round.isEmpty() || !waiting.isEmpty();
  }

  /** Everything up to {@code applied} is applied and published. */
  void applied(long applied) {
    while (!confirmed.isEmpty() && confirmed.peek().index <= applied) {
      ArrayDeque<Waiting> reads = confirmed.remove().reads;
      count.addAndGet(-reads.size());
      for (Waiting read : reads) {
        read.callback.ready();
      }
    }
  }

  /** The member stops: every read fails. */
  void stop() {
    for (Waiting next = queued.poll(); next != null; next = queued.poll()) {
      waiting.add(next);
    }
    for (Confirmed one : confirmed) {
      fail(one.reads, Failure.STOPPED);
    }
    confirmed.clear();
    fail(round, Failure.STOPPED);
    fail(waiting, Failure.STOPPED);
  }

  private void expire(long now) {
    expire(waiting, now);
    expire(round, now);
    for (Confirmed one : confirmed) {
      expire(one.reads, now);
    }
  }

  /** Reads came in the order of their deadlines, but for a few nanoseconds. */
  private void expire(ArrayDeque<Waiting> reads, long now) {
    while (!reads.isEmpty() && now - reads.peek().deadlineNanos >= 0) {
      count.decrementAndGet();
      reads.remove().callback.failed(Failure.TIMED_OUT);
    }
  }

  private void fail(ArrayDeque<Waiting> reads, Failure reason) {
    count.addAndGet(-reads.size());
    for (Waiting read = reads.poll(); read != null; read = reads.poll()) {
      read.callback.failed(reason);
    }
  }
}
