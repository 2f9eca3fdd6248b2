package io.kvorum.server.auth;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.kvorum.server.base.EtcdError;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** A call that is started later. Until then no message is let in, so that only its end can come before. */
final class DelayedCall<Q, R> extends ServerCall.Listener<Q> {
  private static final long POLL_MILLIS = 2;

  private final ServerCall<Q, R> call;
  private final Metadata headers;
  private final ServerCallHandler<Q, R> handler;

  /** Guarded by this. */
  private ServerCall.Listener<Q> started;

  /** Guarded by this. */
  private boolean ended;

  DelayedCall(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> handler) {
    this.call = call;
    this.headers = headers;
    this.handler = handler;
  }

  /** Starts the call when the condition holds or the time is over, whichever comes first. */
  void startWhen(BooleanSupplier condition, ScheduledExecutorService timer, long waitMillis) {
    look(condition, timer, waitMillis / POLL_MILLIS);
  }

  private void look(BooleanSupplier condition, ScheduledExecutorService timer, long looksLeft) {
    if (condition.getAsBoolean() || looksLeft <= 0) {
      start();
      return;
    }
    try {
      timer.schedule(() -> look(condition, timer, looksLeft - 1), POLL_MILLIS, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException stopping) {
      end(EtcdError.SERVER_STOPPED.status());
    }
  }

  private synchronized void start() {
    if (!ended) {
      started = handler.startCall(call, headers);
      started.onReady();
    }
  }

  private synchronized void end(Status status) {
    if (!ended) {
      ended = true;
      call.close(status, new Metadata());
    }
  }

  private synchronized ServerCall.Listener<Q> started() {
    return started;
  }

  @Override
  public void onMessage(Q message) {
    started().onMessage(message);
  }

  @Override
  public void onHalfClose() {
    ServerCall.Listener<Q> listener = started();
    if (listener != null) {
      listener.onHalfClose();
    }
  }

  @Override
  public void onCancel() {
    synchronized (this) {
      ended = true;
    }
    ServerCall.Listener<Q> listener = started();
    if (listener != null) {
      listener.onCancel();
    }
  }

  @Override
  public void onComplete() {
    ServerCall.Listener<Q> listener = started();
    if (listener != null) {
      listener.onComplete();
    }
  }

  @Override
  public void onReady() {
    ServerCall.Listener<Q> listener = started();
    if (listener != null) {
      listener.onReady();
    }
  }
}
