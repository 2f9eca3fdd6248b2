package io.kvorum.server.lease;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.server.base.Completion;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One keep-alive stream: requests are answered one after the other, in order. The next one is let in when the one before is answered and the client takes
 * answers, so that at most one renewal and a transport buffer's worth of answers exist per stream.
 */
final class KeepAliveStream implements StreamObserver<LeaseKeepAliveRequest>, Completion<LeaseKeepAliveResponse> {
  private static final int IDLE = 0;
  private static final int RENEWING = 1;
  private static final int RENEWING_LAST = 2;
  private static final int ENDED = 3;

  private final ServerCallStreamObserver<LeaseKeepAliveResponse> answers;
  private final Renewal renewal;
  private final AtomicInteger state = new AtomicInteger(IDLE);

  /** A request is to be let in once the client takes answers. */
  private final AtomicInteger owed = new AtomicInteger();

  /** Renews one lease. */
  @FunctionalInterface
  interface Renewal {
    void renew(LeaseKeepAliveRequest request, Completion<LeaseKeepAliveResponse> completion);
  }

  KeepAliveStream(ServerCallStreamObserver<LeaseKeepAliveResponse> answers, Renewal renewal) {
    this.answers = answers;
    this.renewal = renewal;
    answers.disableAutoRequest();
    answers.setOnReadyHandler(this::letIn);
    // Without a handler a late answer to a cancelled call would throw.
    answers.setOnCancelHandler(() -> state.set(ENDED));
    answers.request(1);
  }

  private void letIn() {
    if (answers.isReady() && owed.getAndSet(0) > 0) {
      answers.request(1);
    }
  }

  @Override
  public void onNext(LeaseKeepAliveRequest request) {
    if (state.compareAndSet(IDLE, RENEWING)) {
      renewal.renew(request, this);
    }
  }

  @Override
  public void done(LeaseKeepAliveResponse answer) {
    if (state.get() == ENDED) {
      return;
    }
    answers.onNext(answer);
    if (!state.compareAndSet(RENEWING, IDLE)) {
      if (state.compareAndSet(RENEWING_LAST, ENDED)) {
        answers.onCompleted();
      }
      return;
    }
    owed.set(1);
    letIn();
  }

  @Override
  public void failed(StatusRuntimeException reason) {
    if (state.getAndSet(ENDED) != ENDED) {
      answers.onError(reason);
    }
  }

  /** The client sends no more; what is under way is still answered. */
  @Override
  public void onCompleted() {
    if (!state.compareAndSet(RENEWING, RENEWING_LAST) && state.compareAndSet(IDLE, ENDED)) {
      answers.onCompleted();
    }
  }

  @Override
  public void onError(Throwable cancelled) {
    state.set(ENDED);
  }
}
