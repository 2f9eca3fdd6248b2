package io.kvorum.raft.node;

import io.kvorum.raft.Role;
import io.kvorum.raft.core.RaftCore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Leadership transfers under way, and whether they succeeded. Raft thread only. */
final class TransferTracker {
  /** {@code target} 0: no voter has been heard yet, one is chosen when it is. */
  private record Pending(long target, long term, long deadlineNanos, CompletableFuture<Boolean> outcome) {}

  private final TimeSource time;
  private final long limitNanos;
  private final List<Pending> pending = new ArrayList<>();

  /**
   * @param limitNanos an election time-out: then the core gives up
   */
  TransferTracker(TimeSource time, long limitNanos) {
    this.time = time;
    this.limitNanos = limitNanos;
  }

  /** Starts one; false at once when this member does not lead or the target is no other voter. */
  void begin(RaftCore core, long target, CompletableFuture<Boolean> outcome) {
    RaftStatus before = core.status();
    if (before.role() != Role.LEADER) {
      outcome.complete(false);
      return;
    }
    core.transferLeadership(target);
    long chosen = core.status().transferee();
    boolean nobody = target == 0 && before.membership().voters().size() < 2;
    if (nobody || (target != 0 && chosen != target)) {
      outcome.complete(false);
      return;
    }
    pending.add(new Pending(chosen, before.term(), time.nanoTime() + limitNanos, outcome));
  }

  /** Completes what is decided. */
  void advance(RaftCore core) {
    if (pending.isEmpty()) {
      return;
    }
    RaftStatus status = core.status();
    long now = time.nanoTime();
    for (int i = pending.size() - 1; i >= 0; i--) {
      Pending one = chosen(core, pending.get(i));
      boolean decided = status.term() > one.term && status.leader() != 0;
      if (decided || now - one.deadlineNanos >= 0) {
        pending.remove(i);
        one.outcome.complete(decided && status.leader() == one.target);
      } else {
        pending.set(i, one);
      }
    }
  }

  private static Pending chosen(RaftCore core, Pending one) {
    if (one.target != 0 || core.status().role() != Role.LEADER) {
      return one;
    }
    core.transferLeadership(0);
    return new Pending(core.status().transferee(), one.term, one.deadlineNanos, one.outcome);
  }

  void stop() {
    pending.forEach(one -> one.outcome.complete(false));
    pending.clear();
  }
}
