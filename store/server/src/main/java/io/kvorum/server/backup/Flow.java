package io.kvorum.server.backup;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.kvorum.server.base.EtcdError;
import java.util.concurrent.TimeUnit;

/** One stream to a caller, no faster than the caller takes it: the thread that sends waits, a message or two at a time are on the way. */
final class Flow<T> {
  private static final int READY_BYTES = 512 << 10;

  private final ServerCallStreamObserver<T> observer;
  private boolean cancelled;

  /** To be made while the call is being taken: later no handler can be set. */
  Flow(ServerCallStreamObserver<T> observer) {
    this.observer = observer;
    observer.setOnReadyThreshold(READY_BYTES);
    observer.setOnReadyHandler(this::wake);
    observer.setOnCancelHandler(this::cancel);
  }

  private synchronized void wake() {
    notifyAll();
  }

  private synchronized void cancel() {
    cancelled = true;
    notifyAll();
  }

  /**
   * Waits until the caller takes more, then sends.
   *
   * @param stallSeconds how long
   * @throws StatusRuntimeException when the caller went away or took nothing
   */
  void send(T message, int stallSeconds) {
    awaitReady(stallSeconds);
    observer.onNext(message);
  }

  private synchronized void awaitReady(int stallSeconds) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(stallSeconds);
    while (!cancelled && !observer.isReady()) {
      long left = end - System.nanoTime();
      if (left <= 0) {
        throw Status.ABORTED.withDescription("the backup's reader took nothing for " + stallSeconds + " s").asRuntimeException();
      }
      try {
        wait(TimeUnit.NANOSECONDS.toMillis(left) + 1);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw EtcdError.SERVER_STOPPED.exception();
      }
    }
    if (cancelled) {
      throw Status.CANCELLED.withDescription("the caller went away").asRuntimeException();
    }
  }

  void end() {
    observer.onCompleted();
  }

  void fail(StatusRuntimeException reason) {
    if (!observer.isCancelled()) {
      observer.onError(reason);
    }
  }
}
