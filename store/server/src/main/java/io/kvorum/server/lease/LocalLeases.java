package io.kvorum.server.lease;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.LeaseCheckpointResponse;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesResponse;
import io.kvorum.protocol.etcdserverpb.LeaseStatus;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/** Answers of the primary lessor. The usual renewal runs through on the calling thread: two volatile reads, one look-up, one compare-and-set. */
public final class LocalLeases implements LeaseLeader, MetricSource {
  /** How long to wait for what is committed to be applied. */
  static final long APPLY_WAIT_MILLIS = 1_000;

  private static final long APPLY_POLL_MILLIS = 5;

  private final Lessor lessor;
  private final LeaseKeeper keeper;
  private final Kernel kernel;
  private final ScheduledExecutorService timer;
  private final LongAdder renewals = new LongAdder();

  /**
   * @param timer for waits; its threads run short tasks only
   */
  public LocalLeases(Lessor lessor, LeaseKeeper keeper, Kernel kernel, ScheduledExecutorService timer) {
    this.lessor = lessor;
    this.keeper = keeper;
    this.kernel = kernel;
    this.timer = timer;
  }

  @Override
  public void renew(LeaseKeepAliveRequest request, Completion<LeaseKeepAliveResponse> completion) {
    ResponseHeader header = kernel.header();
    whenCurrent(completion, () -> renewNow(header, request.getID(), completion));
  }

  private void renewNow(ResponseHeader header, long id, Completion<LeaseKeepAliveResponse> completion) {
    if (!lessor.primary()) {
      completion.failed(EtcdError.NOT_PRIMARY_LESSOR.exception());
      return;
    }
    Lease lease = lessor.find(id);
    if (lease == null) {
      completion.done(renewed(header, id, 0));
    } else if (!lease.renew(lessor.now())) {
      waitForRevocation(header, lease, completion);
    } else if (lease.isCheckpointed()) {
      // Looked at after the deadline was moved: a checkpoint that begins later sees the new one.
      clearThenRenew(header, id, completion);
    } else {
      renewals.increment();
      completion.done(renewed(header, id, lease.ttlSeconds()));
    }
  }

  @Override
  public void collect(MetricsText out) {
    out.counter("etcd_debugging_lease_renewed_total", "The number of renewed leases seen by the leader.", renewals.sum());
  }

  /** The answer promises the full TTL, so the log must forget the remainder before it is given: the next leader would go by it. */
  private void clearThenRenew(ResponseHeader header, long id, Completion<LeaseKeepAliveResponse> completion) {
    keeper.clearCheckpoint(
        id,
        new Completion<>() {
          @Override
          public void done(LeaseCheckpointResponse answer) {
            renewNow(header, id, completion);
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            completion.failed(reason);
          }
        });
  }

  private void waitForRevocation(ResponseHeader header, Lease lease, Completion<LeaseKeepAliveResponse> completion) {
    AtomicBoolean answered = new AtomicBoolean();
    lease.whenGone(
        revoked -> {
          if (!answered.compareAndSet(false, true)) {
            return;
          }
          if (revoked) {
            completion.done(renewed(header, lease.id(), 0));
          } else {
            completion.failed(EtcdError.NOT_PRIMARY_LESSOR.exception());
          }
        });
    if (!answered.get()) {
      timer.schedule(
          () -> {
            if (answered.compareAndSet(false, true)) {
              completion.failed(EtcdError.TIMED_OUT.exception());
            }
          },
          kernel.limits().requestMillis(),
          TimeUnit.MILLISECONDS);
    }
  }

  private static LeaseKeepAliveResponse renewed(ResponseHeader header, long id, long ttlSeconds) {
    return LeaseKeepAliveResponse.newBuilder().setHeader(header).setID(id).setTTL(ttlSeconds).build();
  }

  @Override
  public void timeToLive(LeaseTimeToLiveRequest request, Completion<LeaseTimeToLiveResponse> completion) {
    whenCurrent(
        completion,
        () -> {
          if (!lessor.primary()) {
            completion.failed(EtcdError.NOT_PRIMARY_LESSOR.exception());
            return;
          }
          LeaseTimeToLiveResponse.Builder answer = LeaseTimeToLiveResponse.newBuilder().setHeader(kernel.header()).setID(request.getID());
          Lease lease = lessor.find(request.getID());
          if (lease == null) {
            answer.setTTL(-1);
          } else {
            answer.setTTL(lease.secondsLeft(lessor.now())).setGrantedTTL(lease.ttlSeconds());
            if (request.getKeys()) {
              answer.addAllKeys(keys(lease));
            }
          }
          if (lessor.primary()) {
            completion.done(answer.build());
          } else {
            completion.failed(EtcdError.LEADER_CHANGED.exception());
          }
        });
  }

  private static List<ByteString> keys(Lease lease) {
    return lease.keys().stream().map(UnsafeByteOperations::unsafeWrap).toList();
  }

  @Override
  public void leases(LeaseLeasesRequest request, Completion<LeaseLeasesResponse> completion) {
    whenCurrent(
        completion,
        () -> {
          if (lessor.primary()) {
            completion.done(list());
          } else {
            completion.failed(EtcdError.NOT_PRIMARY_LESSOR.exception());
          }
        });
  }

  /** This member's own copy of the list, in the order of the deadlines it knows of. */
  LeaseLeasesResponse list() {
    record Due(long deadline, long id) {}
    LeaseLeasesResponse.Builder answer = LeaseLeasesResponse.newBuilder().setHeader(kernel.header());
    lessor.all().stream()
        .map(lease -> new Due(lease.deadline(), lease.id()))
        .sorted(Comparator.comparingLong(Due::deadline).thenComparingLong(Due::id))
        .forEach(due -> answer.addLeases(LeaseStatus.newBuilder().setID(due.id)));
    return answer.build();
  }

  /** Runs the action once leadership is certain enough and all that is committed is applied; usually at once. */
  private void whenCurrent(Completion<?> completion, Runnable action) {
    if (!lessor.primary()) {
      completion.failed(EtcdError.NOT_PRIMARY_LESSOR.exception());
      return;
    }
    if (keeper.confirmed()) {
      whenApplied(completion, action);
      return;
    }
    keeper.confirm(
        new Completion<>() {
          @Override
          public void done(Void nothing) {
            whenApplied(completion, action);
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            completion.failed(EtcdError.NOT_PRIMARY_LESSOR.exception());
          }
        });
  }

  private void whenApplied(Completion<?> completion, Runnable action) {
    RaftStatus status = kernel.raft().get();
    if (status.applied() >= status.commit()) {
      action.run();
    } else {
      pollApplied(status.commit(), lessor.now() + TimeUnit.MILLISECONDS.toNanos(APPLY_WAIT_MILLIS), completion, action);
    }
  }

  private void pollApplied(long index, long until, Completion<?> completion, Runnable action) {
    Consumer<Runnable> later = task -> timer.schedule(task, APPLY_POLL_MILLIS, TimeUnit.MILLISECONDS);
    later.accept(
        () -> {
          if (kernel.raft().get().applied() >= index) {
            action.run();
          } else if (lessor.now() < until) {
            pollApplied(index, until, completion, action);
          } else {
            completion.failed(EtcdError.TIMED_OUT_WAITING_FOR_APPLIED_INDEX.exception());
          }
        });
  }
}
