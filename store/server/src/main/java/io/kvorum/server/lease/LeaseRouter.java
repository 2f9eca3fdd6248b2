package io.kvorum.server.lease;

import io.grpc.StatusRuntimeException;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Brings a question about leases to the leader: this member itself, or by forwarding. What fails because nobody leads, or because the one that was asked leads
 * no more, is tried again every {@value #RETRY_MILLIS} ms within the request limit.
 */
final class LeaseRouter {
  static final long RETRY_MILLIS = 50;

  private final Kernel kernel;
  private final ScheduledExecutorService timer;
  private final LongSupplier nanoClock;

  /** @param nanoClock monotonic */
  LeaseRouter(Kernel kernel, ScheduledExecutorService timer, LongSupplier nanoClock) {
    this.kernel = kernel;
    this.timer = timer;
    this.nanoClock = nanoClock;
  }

  /** Asks this member's own lessor. */
  @FunctionalInterface
  interface Local<A> {
    void ask(Completion<A> completion);
  }

  /** Asks the leader across the network. */
  @FunctionalInterface
  interface Remote<A> {
    void ask(long leader, Completion<A> completion);
  }

  <A> void ask(Local<A> local, Remote<A> remote, Completion<A> completion) {
    RaftStatus status = kernel.raft().get();
    if (!status.isLeader()) {
      new Attempt<>(local, remote, completion).run();
      return;
    }
    local.ask(
        new Completion<>() {
          @Override
          public void done(A answer) {
            completion.done(answer);
          }

          @Override
          public void failed(StatusRuntimeException reason) {
            if (notPrimary(reason)) {
              new Attempt<>(local, remote, completion).again(EtcdError.NOT_PRIMARY_LESSOR);
            } else {
              completion.failed(reason);
            }
          }
        });
  }

  private static boolean notPrimary(StatusRuntimeException reason) {
    return EtcdError.NOT_PRIMARY_LESSOR.text().equals(reason.getStatus().getDescription());
  }

  /** One question on its way, until it is answered or out of time. */
  private final class Attempt<A> implements Runnable {
    private final Local<A> local;
    private final Remote<A> remote;
    private final Completion<A> completion;
    private final long startNanos = nanoClock.getAsLong();

    Attempt(Local<A> local, Remote<A> remote, Completion<A> completion) {
      this.local = local;
      this.remote = remote;
      this.completion = completion;
    }

    @Override
    public void run() {
      RaftStatus status = kernel.raft().get();
      if (status.isLeader()) {
        local.ask(outcome(true));
      } else if (status.leader() != 0) {
        remote.ask(status.leader(), outcome(false));
      } else {
        again(EtcdError.NO_LEADER);
      }
    }

    private Completion<A> outcome(boolean here) {
      return new Completion<>() {
        @Override
        public void done(A answer) {
          completion.done(answer);
        }

        @Override
        public void failed(StatusRuntimeException reason) {
          if (!here) {
            again(EtcdError.TIMED_OUT);
          } else if (notPrimary(reason)) {
            again(EtcdError.NOT_PRIMARY_LESSOR);
          } else {
            completion.failed(reason);
          }
        }
      };
    }

    /** @param last what to answer when time is up */
    void again(EtcdError last) {
      long spent = TimeUnit.NANOSECONDS.toMillis(nanoClock.getAsLong() - startNanos);
      if (spent + RETRY_MILLIS > kernel.limits().requestMillis()) {
        completion.failed(last.exception());
      } else {
        timer.schedule(this, RETRY_MILLIS, TimeUnit.MILLISECONDS);
      }
    }
  }
}
