package io.kvorum.server.lease;

import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.LeaseCheckpoint;
import io.kvorum.protocol.etcdserverpb.LeaseCheckpointRequest;
import io.kvorum.protocol.etcdserverpb.LeaseCheckpointResponse;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * The leader's part of leases: makes this member the primary lessor, ends leases whose time is over, and checkpoints what is left of long ones.
 *
 * <p>Every {@value #CHECK_MILLIS} ms while this member leads:
 *
 * <ol>
 *   <li>Confirm leadership by a linearizable read; it also proves that an entry of this term is applied. Nothing below happens without it, so a member that
 *       was paused or cut off revokes nothing and renews nothing that its successor may have ended. At most one confirmation is under way.
 *   <li>On the first confirmation of a term, promote the lessor: all deadlines begin again, an election timeout later than usual.
 *   <li>Take at most {@value Revocations#MAX_PER_CHECK} leases whose deadline has passed, mark them so that no renewal can win any more, and propose their revocation,
 *       {@value Revocations#MAX_IN_FLIGHT} at a time; what fails is tried again.
 *   <li>Propose one checkpoint of at most {@value #CHECKPOINTS_PER_CHECK} leases that have more than {@value #CHECKPOINT_SECONDS} s and were neither renewed nor checkpointed for
 *       that long.
 * </ol>
 *
 * <p>All state here belongs to the executor's one thread. Crash points: a revocation that was proposed and not answered is found again by its deadline, here or
 * on the next leader; a lost checkpoint only makes a lease live longer.
 */
public final class LeaseKeeper implements MetricSource, AutoCloseable {
  private static final System.Logger LOG = System.getLogger(LeaseKeeper.class.getName());
  static final long CHECK_MILLIS = 500;
  static final int CHECKPOINTS_PER_CHECK = 500;
  static final long CHECKPOINT_SECONDS = 300;

  /** How long a confirmation of leadership is good for answering renewals: three checks. */
  private static final long CONFIRMED_NANOS = TimeUnit.MILLISECONDS.toNanos(3 * CHECK_MILLIS);

  private static final long NEVER = Long.MIN_VALUE;

  private final Lessor lessor;
  private final Kernel kernel;
  private final Executor executor;
  private final Revocations revocations;
  private final LeaseTimes checkpoints = new LeaseTimes(lease -> Lease.deadlineAfter(lease.checkpointBase(), CHECKPOINT_SECONDS));
  private volatile long confirmedAt = NEVER;
  private volatile long confirmedTerm;
  private boolean confirming;
  private boolean checkpointing;
  private long keptTerm;
  private ScheduledFuture<?> schedule;

  /**
   * @param lessor this member's leases
   * @param kernel for proposals, linearizable reads and the election timeout
   * @param executor runs one task at a time, in order; not the raft thread
   */
  public LeaseKeeper(Lessor lessor, Kernel kernel, Executor executor) {
    this.lessor = lessor;
    this.kernel = kernel;
    this.executor = task -> hand(task, executor);
    this.revocations = new Revocations(lessor, kernel.proposals(), this.executor);
    lessor.onLeadership(() -> this.executor.execute(this::check));
  }

  /** Late answers of the raft thread find the executor gone when the member stops. */
  private static void hand(Runnable task, Executor executor) {
    try {
      executor.execute(task);
    } catch (RejectedExecutionException stopped) {
      LOG.log(System.Logger.Level.DEBUG, "the lease keeper has stopped", stopped);
    }
  }

  /** Begins the periodic checks. The timer's threads only hand over. */
  public void start(ScheduledExecutorService timer) {
    schedule =
        timer.scheduleWithFixedDelay(() -> executor.execute(this::check), CHECK_MILLIS, CHECK_MILLIS, TimeUnit.MILLISECONDS);
  }

  /** Ends the checks; what was proposed may still be applied. */
  @Override
  public void close() {
    lessor.onLeadership(() -> {});
    if (schedule != null) {
      schedule.cancel(false);
    }
  }

  /** Whether leadership was confirmed so recently that renewals can be answered from memory. Any thread. */
  boolean confirmed() {
    return confirmedTerm == lessor.leadTerm() && confirmedAt != NEVER && lessor.now() - confirmedAt < CONFIRMED_NANOS;
  }

  /** Confirms leadership now, for a caller that found it not recent enough. Any thread. */
  void confirm(Completion<Void> completion) {
    long term = lessor.leadTerm();
    long started = lessor.now();
    kernel
        .reads()
        .await(
            new Completion<>() {
              @Override
              public void done(Void nothing) {
                confirmed(term, started);
                completion.done(null);
              }

              @Override
              public void failed(StatusRuntimeException reason) {
                completion.failed(reason);
              }
            });
  }

  private void confirmed(long term, long started) {
    if (term != 0 && lessor.leadTerm() == term) {
      confirmedTerm = term;
      confirmedAt = started;
    }
  }

  /** Leases looked after, and some that are gone. */
  int tracked() {
    return revocations.tracked();
  }

  @Override
  public void collect(MetricsText out) {
    out.counter("etcd_debugging_server_lease_expired_total", "The total number of expired leases.", revocations.expired());
  }

  /** One round; the executor's thread. */
  void check() {
    long term = lessor.leadTerm();
    if (term != 0 && term == keptTerm) {
      keepGranted();
    }
    boolean idle = lessor.primary() && lessor.size() == 0;
    if (term == 0 || confirming || idle) {
      return;
    }
    confirming = true;
    confirm(
        new Completion<>() {
          @Override
          public void done(Void nothing) {
            executor.execute(() -> lead(term));
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            executor.execute(() -> confirming = false);
          }
        });
  }

  private void lead(long term) {
    confirming = false;
    if (lessor.leadTerm() != term) {
      return;
    }
    if (keptTerm != term) {
      begin(term);
    }
    keepGranted();
    revocations.check();
    checkpoint();
  }

  private void begin(long term) {
    keptTerm = term;
    checkpointing = false;
    revocations.clear();
    checkpoints.clear();
    lessor.promote(term, kernel.limits().electionMillis());
    lessor.forgetGranted();
    lessor.all().forEach(this::keep);
    LOG.log(System.Logger.Level.INFO, "primary lessor of {0} leases in term {1}", lessor.size(), term);
  }

  private void keepGranted() {
    for (Lease fresh = lessor.nextGranted(); fresh != null; fresh = lessor.nextGranted()) {
      keep(fresh);
    }
    revocations.forgetGone();
    checkpoints.forgetGone(lessor.size());
  }

  private void keep(Lease lease) {
    if (lease.gone()) {
      return;
    }
    revocations.keep(lease);
    if (lease.ttlSeconds() > CHECKPOINT_SECONDS) {
      checkpoints.add(lease);
    }
  }

  private void checkpoint() {
    if (checkpointing) {
      return;
    }
    long now = lessor.now();
    List<Lease> due = checkpoints.due(now, CHECKPOINTS_PER_CHECK);
    LeaseCheckpointRequest.Builder request = LeaseCheckpointRequest.newBuilder();
    for (Lease lease : due) {
      lease.checkpointBegins(now);
      checkpoints.add(lease);
      long left = lease.secondsLeft(now) + 1;
      if (lease.deadline() > now && left < lease.ttlSeconds()) {
        request.addCheckpoints(LeaseCheckpoint.newBuilder().setID(lease.id()).setRemainingTTL(left));
      }
    }
    if (request.getCheckpointsCount() == 0) {
      due.forEach(Lease::checkpointEnds);
      return;
    }
    checkpointing = true;
    propose(
        request,
        new Completion<>() {
          @Override
          public void done(LeaseCheckpointResponse answer) {
            ended();
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            ended();
          }

          private void ended() {
            due.forEach(Lease::checkpointEnds);
            executor.execute(() -> checkpointing = false);
          }
        });
  }

  /** A renewed lease has its full TTL on the next leader too: takes its checkpoint back. Any thread. */
  void clearCheckpoint(long id, Completion<LeaseCheckpointResponse> completion) {
    propose(LeaseCheckpointRequest.newBuilder().addCheckpoints(LeaseCheckpoint.newBuilder().setID(id)), completion);
  }

  private void propose(LeaseCheckpointRequest.Builder request, Completion<LeaseCheckpointResponse> completion) {
    kernel.proposals().propose(LogRequest.newBuilder().setLeaseCheckpoint(request), completion);
  }
}
