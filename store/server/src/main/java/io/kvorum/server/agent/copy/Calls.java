package io.kvorum.server.agent.copy;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/** Calls to the cluster. */
final class Calls {
  static final Metadata.Key<String> HAS_LEADER = Metadata.Key.of("hasleader", Metadata.ASCII_STRING_MARSHALLER);

  /** Larger than any answer: what bounds them is what is asked for. */
  static final int MESSAGE_BYTES_MAX = Integer.MAX_VALUE;

  private Calls() {}

  /** The answer, or the failure as it came from gRPC; on a thread of the channel's. */
  static <Q, A> CompletableFuture<A> unary(Channel channel, MethodDescriptor<Q, A> method, Q request, long seconds) {
    CompletableFuture<A> result = new CompletableFuture<>();
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(seconds, TimeUnit.SECONDS).withMaxInboundMessageSize(MESSAGE_BYTES_MAX);
    ClientCalls.asyncUnaryCall(
        channel.newCall(method, options),
        request,
        new StreamObserver<>() {
          @Override
          public void onNext(A answer) {
            result.complete(answer);
          }

          @Override
          public void onError(Throwable failure) {
            result.completeExceptionally(failure);
          }

          @Override
          public void onCompleted() {
            result.completeExceptionally(Status.INTERNAL.withDescription("the call ended without an answer").asRuntimeException());
          }
        });
    return result;
  }

  static Status status(Throwable failure) {
    return Status.fromThrowable(failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure);
  }

  /** What went wrong, for people. */
  static String reason(Status status) {
    return status.getDescription() == null ? status.getCode().toString() : status.getDescription();
  }
}
