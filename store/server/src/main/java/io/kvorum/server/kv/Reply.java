package io.kvorum.server.kv;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.kvorum.mvcc.StoreClosedException;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import java.lang.System.Logger.Level;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.UnaryOperator;

/**
 * Answers one unary call. A caller that has gone away is no error: what it would have been told is dropped, and the thread that tells (often the raft thread) goes on.
 *
 * @param <T> the response
 */
final class Reply<T> implements Completion<T> {
  private static final System.Logger LOG = System.getLogger(Reply.class.getName());

  private final StreamObserver<T> observer;
  private final UnaryOperator<T> finish;

  /**
   * @param finish completes the header of the answer
   */
  Reply(StreamObserver<T> observer, UnaryOperator<T> finish) {
    this.observer = observer;
    this.finish = finish;
  }

  @Override
  public void done(T answer) {
    try {
      observer.onNext(finish.apply(answer));
      observer.onCompleted();
    } catch (RuntimeException gone) {
      dropped(observer, gone);
    }
  }

  @Override
  public void failed(StatusRuntimeException reason) {
    fail(observer, reason);
  }

  static void fail(StreamObserver<?> observer, EtcdError error) {
    fail(observer, error.exception());
  }

  static void fail(StreamObserver<?> observer, StatusRuntimeException reason) {
    try {
      observer.onError(reason);
    } catch (RuntimeException gone) {
      dropped(observer, gone);
    }
  }

  /** A read went wrong: the caller has gone away, the member stops, or there is a mistake; the caller, if there, hears that it failed. */
  static void broken(StreamObserver<?> observer, RuntimeException reason) {
    if (reason instanceof StoreClosedException) {
      fail(observer, EtcdError.SERVER_STOPPED);
      return;
    }
    dropped(observer, reason);
    fail(observer, Status.INTERNAL.withDescription(String.valueOf(reason.getMessage())).asRuntimeException());
  }

  private static void dropped(StreamObserver<?> observer, RuntimeException reason) {
    boolean nobody = reason instanceof RejectedExecutionException || observer instanceof ServerCallStreamObserver<?> call && call.isCancelled();
    LOG.log(nobody ? Level.DEBUG : Level.WARNING, "an answer was not delivered", reason);
  }
}
