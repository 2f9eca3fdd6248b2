package io.kvorum.server.cluster;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.MemberPromoteRequest;
import io.kvorum.protocol.etcdserverpb.MemberPromoteResponse;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.metrics.LabelledCounter;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * Makes a voter of a learner.
 *
 * <ol>
 *   <li>The leader checks by its followers' progress and proposes; apply decides.
 *   <li>A follower forwards to the leader. When there is none, or it cannot be reached, or it leads no more, it tries again every 100 ms until the
 *       request limit.
 * </ol>
 */
public final class Promotion implements MetricSource {
  private static final long RETRY_MILLIS = 100;

  private final Kernel kernel;
  private final Members members;
  private final ReconfigRules rules;
  private final MembershipProposals proposals;
  private final PromoteForwarder forwarder;
  private final ScheduledExecutorService timer;
  private final LongAdder successes = new LongAdder();
  private final LabelledCounter failures = new LabelledCounter();

  public Promotion(
      Kernel kernel,
      Members members,
      ReconfigRules rules,
      MembershipProposals proposals,
      PromoteForwarder forwarder,
      ScheduledExecutorService timer) {
    this.kernel = kernel;
    this.members = members;
    this.rules = rules;
    this.proposals = proposals;
    this.forwarder = forwarder;
    this.timer = timer;
  }

  /** From a client: here or on the leader. */
  public void promote(MemberPromoteRequest request, Completion<MemberPromoteResponse> completion) {
    attempt(request, completion, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(kernel.limits().requestMillis()));
  }

  private void attempt(MemberPromoteRequest request, Completion<MemberPromoteResponse> completion, long deadlineNanos) {
    RaftStatus status = kernel.raft().get();
    if (status.isLeader()) {
      promoteHere(request, completion);
    } else if (status.leader() == 0) {
      retry(request, completion, deadlineNanos);
    } else {
      forwarder.promote(
          status.leader(),
          request,
          new Completion<>() {
            @Override
            public void done(MemberPromoteResponse answer) {
              completion.done(answer.toBuilder().setHeader(ClusterService.header(kernel)).build());
            }

            @Override
            public void failed(StatusRuntimeException reason) {
              boolean again = reason.getStatus().getCode() == Status.Code.UNAVAILABLE || isNotLeader(reason);
              if (again) {
                retry(request, completion, deadlineNanos);
              } else {
                completion.failed(reason);
              }
            }
          });
    }
  }

  private static boolean isNotLeader(StatusRuntimeException reason) {
    return EtcdError.NOT_LEADER.text().equals(reason.getStatus().getDescription());
  }

  private void retry(MemberPromoteRequest request, Completion<MemberPromoteResponse> completion, long deadlineNanos) {
    if (System.nanoTime() - deadlineNanos > 0) {
      completion.failed(EtcdError.TIMED_OUT.exception());
    } else {
      timer.schedule(() -> attempt(request, completion, deadlineNanos), RETRY_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  /** On the leader: also what forwarded calls come to. Fails with NOT_LEADER elsewhere. */
  public void promoteHere(MemberPromoteRequest request, Completion<MemberPromoteResponse> completion) {
    EtcdError refusal = rules.mayPromote(members.view(), request.getID(), kernel.raft().get());
    if (refusal != null) {
      failures.increment(refusal.text());
      completion.failed(refusal.exception());
      return;
    }
    proposals.propose(
        MembershipChange.Kind.PROMOTE,
        MemberContext.newBuilder().setId(request.getID()),
        new Completion<>() {
          @Override
          public void done(Void nothing) {
            successes.increment();
            completion.done(
                MemberPromoteResponse.newBuilder()
                    .setHeader(ClusterService.header(kernel))
                    .addAllMembers(members.view().toProto())
                    .build());
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            failures.increment(String.valueOf(reason.getStatus().getDescription()));
            completion.failed(reason);
          }
        });
  }

  @Override
  public void collect(MetricsText out) {
    out.counter(
        "etcd_server_learner_promote_successes", "The total number of successful learner promotions while this member is leader.", successes.sum());
    failures.forEach(
        (reason, count) ->
            out.counter(
                "etcd_server_learner_promote_failures",
                "The total number of failed learner promotions (likely learner not ready) while this member is leader.", MetricsText.labels("Reason", reason), count));
  }
}
