package io.kvorum.server.propose;

import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmResponse;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.LogRequestHeader;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.node.RaftNode;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.apply.PutCost;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Limits;
import io.kvorum.server.base.Proposals;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * The way into the log. A proposal is refused at once, in this order, when the server stops (SERVER_STOPPED), when there is no room (NO_SPACE, after the alarm was
 * raised through the log), when it is too large, when apply lags by more than 5,000 entries or too many calls wait (TOO_MANY_REQUESTS). It is serialized once, on
 * the calling thread, and then belongs to consensus; this member recognises it by its id when it is applied, or gives up after the request limit.
 */
public final class LogProposals implements Proposals, MetricSource, AutoCloseable {
  private static final long APPLY_LAG_MAX = 5_000;
  private static final long SWEEP_MILLIS = 200;
  private static final long SPACE_MILLIS = 1_000;
  private static final long MEMBERSHIP_RETRY_MILLIS = 50;

  private final long memberId;
  private final RaftNode node;
  private final PendingCalls calls;
  private final SpaceQuota quota;
  private final int requestBytesMax;
  private final ScheduledExecutorService timer;
  private final AtomicBoolean raisingAlarm = new AtomicBoolean();
  private final LongAdder refused = new LongAdder();
  private volatile boolean closed;

  /**
   * @param memberId this member, for the alarms that it raises
   * @param node consensus
   * @param calls the same instance that the state machine completes
   * @param quota whether there is room
   * @param limits for the request size
   * @param timer shared; its owner ends it, after this was closed
   */
  public LogProposals(long memberId, RaftNode node, PendingCalls calls, SpaceQuota quota, Limits limits, ScheduledExecutorService timer) {
    this.memberId = memberId;
    this.node = node;
    this.calls = calls;
    this.quota = quota;
    this.requestBytesMax = limits.maxRequestBytes();
    this.timer = timer;
  }

  /** Begins to give up calls that wait too long and to watch the disk's reserve. */
  public LogProposals start() {
    timer.scheduleWithFixedDelay(() -> calls.sweep(node::status), SWEEP_MILLIS, SWEEP_MILLIS, TimeUnit.MILLISECONDS);
    timer.scheduleWithFixedDelay(this::warnOfFullDisk, SPACE_MILLIS, SPACE_MILLIS, TimeUnit.MILLISECONDS);
    return this;
  }

  @Override
  public <T> void propose(LogRequest.Builder request, Completion<T> completion) {
    if (closed) {
      completion.failed(EtcdError.SERVER_STOPPED.exception());
    } else if (!quota.hasRoomFor(PutCost.of(request))) {
      refuseForSpace(completion);
    } else {
      send(request, completion);
    }
  }

  private <T> void send(LogRequest.Builder request, Completion<T> completion) {
    if (lags()) {
      completion.failed(EtcdError.TOO_MANY_REQUESTS.exception());
      return;
    }
    PendingCalls.Call call = calls.register(completion);
    if (call == null) {
      completion.failed(EtcdError.TOO_MANY_REQUESTS.exception());
      return;
    }
    byte[] data;
    try {
      data = request.setHeader(LogRequestHeader.newBuilder(request.getHeader()).setId(call.id())).build().toByteArray();
    } catch (RuntimeException broken) {
      call.refused(EtcdError.REQUEST_CANCELLED);
      throw broken;
    }
    if (data.length > requestBytesMax) {
      call.refused(EtcdError.REQUEST_IS_TOO_LARGE);
      return;
    }
    handOver(node.propose(data), call);
  }

  @Override
  public void proposeMembership(MembershipChange.Kind kind, long member, MemberContext.Builder context, Completion<ResponseHeader> completion) {
    if (closed) {
      completion.failed(EtcdError.SERVER_STOPPED.exception());
      return;
    }
    PendingCalls.Call call = lags() ? null : calls.register(completion);
    if (call == null) {
      completion.failed(EtcdError.TOO_MANY_REQUESTS.exception());
      return;
    }
    byte[] encoded = context.setRequestId(call.id()).build().toByteArray();
    proposeMembership(new MembershipChange(kind, member, encoded), call);
  }

  /** Consensus takes one change at a time, and none before it has committed an entry of its term: what it refuses is tried again until the call is given up. */
  private void proposeMembership(MembershipChange change, PendingCalls.Call call) {
    if (calls.find(call.id()) == null) {
      return;
    }
    switch (node.proposeMembership(change)) {
      case ACCEPTED -> {
        // Completed by apply, or by the sweep.
      }
      case REFUSED -> retryMembership(change, call);
      case STOPPED -> call.refused(EtcdError.SERVER_STOPPED);
    }
  }

  private void retryMembership(MembershipChange change, PendingCalls.Call call) {
    try {
      timer.schedule(() -> proposeMembership(change, call), MEMBERSHIP_RETRY_MILLIS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      call.refused(EtcdError.SERVER_STOPPED);
    }
  }

  private void handOver(RaftNode.ProposeResult result, PendingCalls.Call call) {
    switch (result) {
      case ACCEPTED -> {
        // Completed by apply, or by the sweep.
      }
      case REFUSED -> {
        refused.increment();
        call.refused(EtcdError.TOO_MANY_REQUESTS);
      }
      case STOPPED -> call.refused(EtcdError.SERVER_STOPPED);
    }
  }

  private boolean lags() {
    RaftStatus status = node.status();
    return status.commit() - status.applied() > APPLY_LAG_MAX;
  }

  /** The caller hears of it when the alarm is raised, so that it finds the alarm listed. */
  private void refuseForSpace(Completion<?> completion) {
    if (quota.isAlarmed() || !raisingAlarm.compareAndSet(false, true)) {
      completion.failed(EtcdError.NO_SPACE.exception());
      return;
    }
    raiseAlarm(() -> completion.failed(EtcdError.NO_SPACE.exception()));
  }

  private void warnOfFullDisk() {
    if (!closed && quota.mustWarn() && raisingAlarm.compareAndSet(false, true)) {
      raiseAlarm(() -> {});
    }
  }

  private void raiseAlarm(Runnable whenRaised) {
    AlarmRequest.Builder alarm =
        AlarmRequest.newBuilder().setAction(AlarmRequest.AlarmAction.ACTIVATE).setAlarm(AlarmType.NOSPACE).setMemberID(memberId);
    send(
        LogRequest.newBuilder().setHeader(LogRequestHeader.newBuilder().setOwn(true)).setAlarm(alarm),
        new Completion<AlarmResponse>() {
          @Override
          public void done(AlarmResponse answer) {
            end();
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            end();
          }

          private void end() {
            raisingAlarm.set(false);
            whenRaised.run();
          }
        });
  }

  @Override
  public void collect(MetricsText out) {
    out.gauge("etcd_server_proposals_pending", "The current number of pending proposals to commit.", calls.waiting())
        .counter("etcd_server_proposals_failed_total", "The total number of failed proposals seen.", calls.timedOut() + refused.sum());
  }

  /** Refuses what comes and fails what waits with SERVER_STOPPED. Call it before consensus is closed; the timer is its owner's. */
  @Override
  public void close() {
    closed = true;
    calls.close();
  }
}
