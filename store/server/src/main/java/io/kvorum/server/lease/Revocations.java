package io.kvorum.server.lease;

import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeResponse;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.Proposals;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** Ends leases whose deadline has passed, through the log. Belongs to the executor's one thread. */
final class Revocations {
  /** Leases taken up per check: 1,000 a second. */
  static final int MAX_PER_CHECK = 500;

  static final int MAX_IN_FLIGHT = 16;

  /** When a revocation that failed is proposed again. */
  static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Lessor lessor;
  private final Proposals proposals;
  private final Executor executor;
  private final LeaseTimes deadlines = new LeaseTimes(Lease::deadline);
  private final Deque<Lease> waiting = new ArrayDeque<>();
  private final LongAdder expired = new LongAdder();
  private int inFlight;
  private boolean pumping;
  private long round;

  Revocations(Lessor lessor, Proposals proposals, Executor executor) {
    this.lessor = lessor;
    this.proposals = proposals;
    this.executor = executor;
  }

  /** Forgets everything; answers of earlier proposals no longer count. */
  void clear() {
    deadlines.clear();
    waiting.clear();
    inFlight = 0;
    round++;
  }

  void keep(Lease lease) {
    deadlines.add(lease);
  }

  void forgetGone() {
    deadlines.forgetGone(lessor.size());
  }

  /** Leases whose deadline is looked after, and some that are gone. */
  int tracked() {
    return deadlines.size();
  }

  /** Leases that were ended because their time was over, since the start. Any thread. */
  long expired() {
    return expired.sum();
  }

  /** Takes up what is due, as far as there is room. */
  void check() {
    long now = lessor.now();
    int room = MAX_PER_CHECK - waiting.size();
    for (Lease lease : deadlines.due(now, room)) {
      if (lease.expire(now)) {
        waiting.add(lease);
      } else {
        deadlines.add(lease);
      }
    }
    pump();
  }

  /** Not re-entered when a proposal completes at once: the loop that is under way takes the next. */
  private void pump() {
    if (pumping) {
      return;
    }
    pumping = true;
    while (inFlight < MAX_IN_FLIGHT && !waiting.isEmpty()) {
      revoke(waiting.remove());
    }
    pumping = false;
  }

  private void revoke(Lease lease) {
    if (lease.gone()) {
      return;
    }
    inFlight++;
    long asked = round;
    LogRequest.Builder request = LogRequest.newBuilder().setLeaseRevoke(LeaseRevokeRequest.newBuilder().setID(lease.id()));
    proposals.propose(
        request,
        new Completion<LeaseRevokeResponse>() {
          @Override
          public void done(LeaseRevokeResponse answer) {
            expired.increment();
            executor.execute(() -> ended(asked, lease));
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            executor.execute(() -> ended(asked, lease));
          }
        });
  }

  private void ended(long asked, Lease lease) {
    if (asked != round) {
      return;
    }
    inFlight--;
    if (!lease.gone()) {
      deadlines.add(lease, lessor.now() + RETRY_NANOS);
    }
    if (lessor.leadTerm() != 0) {
      pump();
    }
  }
}
