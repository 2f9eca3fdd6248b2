package io.kvorum.raft.node;

import io.kvorum.raft.Entry;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Message;
import io.kvorum.raft.core.RaftCore;
import io.kvorum.raft.core.RaftCore.MembershipProposal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Proposals on their way to the core, bounded in number and bytes. All that is queued goes in one call, as far as it fits in one message; what the
 * core cannot take now (no leader, a transfer
 * under way, too much in flight) is kept back, in order, until it can or until its time is over: then it is dropped without a word, for its proposer
 * has given up.
 */
final class ProposalQueue {
  private static final int MEMBERSHIP_MAX = 256;
  private static final long CALL_BYTES = 1 << 20;

  private record Proposal(byte[] request, long deadlineNanos) {}

  private record Change(MembershipChange change, long deadlineNanos) {}

  private final DriverOptions options;
  private final TimeSource time;
  private final long timeoutNanos;
  private final MpscQueue<Proposal> queued;
  private final AtomicInteger count = new AtomicInteger();
  private final AtomicLong bytes = new AtomicLong();
  private final MpscQueue<Change> queuedChanges = new MpscQueue<>(MEMBERSHIP_MAX);

  // Raft thread only.
  private final ArrayDeque<Proposal> kept = new ArrayDeque<>();
  private final ArrayDeque<Change> keptChanges = new ArrayDeque<>();

  ProposalQueue(DriverOptions options, TimeSource time) {
    this.options = options;
    this.time = time;
    this.timeoutNanos = options.requestTimeoutMillis() * 1_000_000L;
    this.queued = new MpscQueue<>(options.maxProposals());
  }

  /** Any thread. Returns false when a bound is reached. */
  boolean offer(byte[] request) {
    if (count.incrementAndGet() > options.maxProposals()) {
      count.decrementAndGet();
      return false;
    }
    // An empty queue takes any one proposal.
    long held = bytes.addAndGet(request.length);
    if ((held > options.maxProposalBytes() && held > request.length) || !queued.offer(new Proposal(request, time.nanoTime() + timeoutNanos))) {
      release(request);
      return false;
    }
    return true;
  }

  /** Any thread. Returns false when too many changes wait. */
  boolean offer(MembershipChange change) {
    return queuedChanges.offer(new Change(change, time.nanoTime() + timeoutNanos));
  }

  /** What another member has handed over and the core does not take now. Beyond a bound it is lost, as any message may be. Raft thread only. */
  void keep(Message forwarded) {
    for (Entry entry : forwarded.entries()) {
      switch (entry.type()) {
        case NORMAL -> offer(entry.data());
        case MEMBERSHIP -> offer(MembershipChange.decode(entry.data()));
      }
    }
  }

  boolean hasNew() {
    return !queued.isEmpty() || !queuedChanges.isEmpty();
  }

  /** Hands what waits to the core, as far as it takes it. */
  void feed(RaftCore core) {
    for (Proposal next = queued.poll(); next != null; next = queued.poll()) {
      kept.add(next);
    }
    for (Change next = queuedChanges.poll(); next != null && keptChanges.size() < MEMBERSHIP_MAX; next = queuedChanges.poll()) {
      keptChanges.add(next);
    }
    if (kept.isEmpty() && keptChanges.isEmpty()) {
      return;
    }
    expire();
    RaftStatus status = core.status();
    if (status.leader() == 0 || status.transferee() != 0) {
      return;
    }
    while (!kept.isEmpty() && feedSome(core)) {}
    while (!keptChanges.isEmpty()) {
      MembershipProposal verdict = core.proposeMembership(keptChanges.peek().change, time.wallMillis());
      if (verdict != MembershipProposal.ACCEPTED && verdict != MembershipProposal.FORWARDED) {
        // Each reason passes: asked again until the change's time is over.
        break;
      }
      keptChanges.remove();
    }
  }

  private boolean feedSome(RaftCore core) {
    List<byte[]> requests = new ArrayList<>(Math.min(kept.size(), 1024));
    long size = 0;
    for (Proposal proposal : kept) {
      size += proposal.request.length + 32L;
      if (size > CALL_BYTES && !requests.isEmpty()) {
        break;
      }
      requests.add(proposal.request);
    }
    if (!core.propose(requests, time.wallMillis())) {
      return false;
    }
    for (int i = 0; i < requests.size(); i++) {
      release(kept.remove().request);
    }
    return true;
  }

  private void expire() {
    long now = time.nanoTime();
    while (!kept.isEmpty() && now - kept.peek().deadlineNanos >= 0) {
      release(kept.remove().request);
    }
    while (!keptChanges.isEmpty() && now - keptChanges.peek().deadlineNanos >= 0) {
      keptChanges.remove();
    }
  }

  private void release(byte[] request) {
    count.decrementAndGet();
    bytes.addAndGet(-request.length);
  }
}
