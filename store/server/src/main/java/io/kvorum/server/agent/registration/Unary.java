package io.kvorum.server.agent.registration;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A call of one message and one answer, also on methods that are streams: what follows the first answer is not waited for. */
final class Unary {
  private Unary() {}

  /** Calls; fails with {@code StatusRuntimeException}, at the latest after {@code nanos}. */
  static <Q, A> CompletableFuture<A> call(Channel channel, MethodDescriptor<Q, A> method, Q request, long nanos) {
    CompletableFuture<A> future = new CompletableFuture<>();
    ClientCall<Q, A> call = channel.newCall(method, CallOptions.DEFAULT.withDeadlineAfter(nanos, TimeUnit.NANOSECONDS));
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(A answer) {
            future.complete(answer);
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            Status failure = status.isOk() ? Status.UNAVAILABLE.withDescription("ended without an answer") : status;
            future.completeExceptionally(failure.asRuntimeException(trailers));
          }
        },
        new Metadata());
    call.request(1);
    call.sendMessage(request);
    call.halfClose();
    return future;
  }
}
