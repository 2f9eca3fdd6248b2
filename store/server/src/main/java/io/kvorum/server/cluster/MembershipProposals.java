package io.kvorum.server.cluster;

import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.MembershipChange;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Limits;
import io.kvorum.server.base.Proposals;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Puts membership changes into the log. A change that consensus refuses for now (another one is under way, no entry of this term is committed yet)
 * is tried again every 50 ms until the request limit; everything else is the caller's to hear.
 */
public final class MembershipProposals {
  private static final long RETRY_MILLIS = 50;

  private final Proposals proposals;
  private final ScheduledExecutorService timer;
  private final Limits limits;

  public MembershipProposals(Proposals proposals, ScheduledExecutorService timer, Limits limits) {
    this.proposals = proposals;
    this.timer = timer;
    this.limits = limits;
  }

  /**
   * Completes with null once the change is applied here, or fails with what apply refused it with or with the time-out family.
   *
   * @param context what is known of the member; its id is set, the request id is set here
   */
  void propose(MembershipChange.Kind kind, MemberContext.Builder context, Completion<Void> completion) {
    attempt(kind, context, completion, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limits.requestMillis()));
  }

  private void attempt(MembershipChange.Kind kind, MemberContext.Builder context, Completion<Void> completion, long deadlineNanos) {
    proposals.proposeMembership(
        kind,
        context.getId(),
        context,
        new Completion<ResponseHeader>() {
          @Override
          public void done(ResponseHeader header) {
            completion.done(null);
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            boolean notNow = EtcdError.TOO_MANY_REQUESTS.text().equals(reason.getStatus().getDescription());
            if (!notNow || System.nanoTime() - deadlineNanos > 0) {
              completion.failed(reason);
              return;
            }
            try {
              timer.schedule(() -> attempt(kind, context, completion, deadlineNanos), RETRY_MILLIS, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException stopping) {
              completion.failed(EtcdError.SERVER_STOPPED.exception());
            }
          }
        });
  }
}
