package io.kvorum.server.recipe;

import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.kvorum.server.base.EtcdError;
import java.lang.System.Logger.Level;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/** Runs calls as programs that may wait, each on a thread of its own; at most {@value #WAITING_MAX} at a time. Every error has the code Unknown, as in etcd. */
final class Programs {
  static final int WAITING_MAX = 65_536;
  private static final System.Logger LOG = System.getLogger(Programs.class.getName());

  private final Executor threads;
  private final Semaphore free = new Semaphore(WAITING_MAX);

  /**
   * @param threads a (virtual) thread for each task
   */
  Programs(Executor threads) {
    this.threads = threads;
  }

  /** Answers a unary call with what the program returns. */
  <A> void answer(StreamObserver<A> observer, Supplier<A> program) {
    run(
        observer,
        () -> {
          A answer = program.get();
          observer.onNext(answer);
          observer.onCompleted();
        });
  }

  /** Runs a program that answers by itself. */
  void run(StreamObserver<?> observer, Runnable program) {
    if (!free.tryAcquire()) {
      fail(observer, EtcdError.TOO_MANY_REQUESTS.text());
      return;
    }
    Context context = Context.current();
    threads.execute(
        context.wrap(
            () -> {
              try {
                program.run();
              } catch (RecipeException refused) {
                fail(observer, refused.getMessage());
              } catch (StatusRuntimeException failed) {
                fail(observer, text(context, failed.getStatus()));
              } catch (RuntimeException broken) {
                LOG.log(Level.WARNING, "a call of Lock or Election failed", broken);
                fail(observer, String.valueOf(broken.getMessage()));
              } finally {
                free.release();
              }
            }));
  }

  private static String text(Context context, Status status) {
    if (context.isCancelled()) {
      return status.getCode() == Status.Code.DEADLINE_EXCEEDED ? EtcdError.DEADLINE_EXCEEDED.text() : "context canceled";
    }
    return String.valueOf(status.getDescription());
  }

  private static void fail(StreamObserver<?> observer, String text) {
    try {
      observer.onError(Status.UNKNOWN.withDescription(text).asRuntimeException());
    } catch (RuntimeException gone) {
      boolean cancelled = observer instanceof ServerCallStreamObserver<?> call && call.isCancelled();
      LOG.log(cancelled ? Level.DEBUG : Level.WARNING, "an answer was not delivered", gone);
    }
  }
}
