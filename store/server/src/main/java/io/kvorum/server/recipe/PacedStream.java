package io.kvorum.server.recipe;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.util.concurrent.Semaphore;

/** A stream to a client whose sender waits while the client is slow. Made on the thread that begins the call. */
final class PacedStream<A> {
  private final ServerCallStreamObserver<A> observer;
  private final Semaphore changes = new Semaphore(0);

  PacedStream(ServerCallStreamObserver<A> observer) {
    this.observer = observer;
    observer.setOnReadyHandler(changes::release);
    observer.setOnCancelHandler(changes::release);
  }

  /** Sends when the client can take it; fails when it has gone away. */
  void send(A answer) {
    while (!observer.isReady()) {
      if (observer.isCancelled()) {
        throw Status.CANCELLED.withDescription("context canceled").asRuntimeException();
      }
      try {
        changes.acquire();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw Status.CANCELLED.withDescription("interrupted").asRuntimeException();
      }
      changes.drainPermits();
    }
    observer.onNext(answer);
  }
}
