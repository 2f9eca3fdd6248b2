package io.kvorum.server.front;

import com.google.protobuf.Message;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import java.io.InputStream;

/**
 * Reads requests as etcd does: bytes that are no message end the call with Internal and say why, where grpc-java would say that an application failed; and messages may be
 * nested as deep as a transaction may be.
 */
final class RequestReading {
  /** Each nested transaction is two levels. */
  private static final int NESTING_MAX = 1_000;

  private static final String UNREADABLE = "grpc: error unmarshalling request: ";

  private RequestReading() {}

  /** Stands for a request that cannot be read. */
  private record Unreadable(String why) {}

  static ServerServiceDefinition of(ServerServiceDefinition service) {
    ServerServiceDefinition.Builder reading = ServerServiceDefinition.builder(service.getServiceDescriptor().getName());
    service.getMethods().forEach(method -> reading.addMethod(of(method)));
    return reading.build();
  }

  private static <Q, A> ServerMethodDefinition<Object, A> of(ServerMethodDefinition<Q, A> method) {
    MethodDescriptor<Q, A> descriptor = method.getMethodDescriptor();
    Marshaller<Object> lenient = new Lenient(deep(descriptor.getRequestMarshaller()));
    ServerCallHandler<Q, A> next = method.getServerCallHandler();
    return ServerMethodDefinition.create(descriptor.toBuilder(lenient, descriptor.getResponseMarshaller()).build(), (call, headers) -> start(call, headers, next));
  }

  private static Marshaller<?> deep(Marshaller<?> marshaller) {
    return marshaller instanceof PrototypeMarshaller<?> prototype && prototype.getMessagePrototype() instanceof Message message
        ? ProtoUtils.marshallerWithRecursionLimit(message, NESTING_MAX)
        : marshaller;
  }

  /** The call of objects is the call of requests: what comes is checked before it is handed on. */
  @SuppressWarnings("unchecked")
  private static <Q, A> ServerCall.Listener<Object> start(ServerCall<Object, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    ServerCall.Listener<Q> listener = next.startCall((ServerCall<Q, A>) (ServerCall<?, A>) call, headers);
    return new Guard<>(call, listener);
  }

  private record Lenient(Marshaller<?> inner) implements Marshaller<Object> {
    @Override
    public InputStream stream(Object request) {
      throw new UnsupportedOperationException("requests are only read");
    }

    @Override
    public Object parse(InputStream stream) {
      try {
        return inner.parse(stream);
      } catch (StatusRuntimeException broken) {
        Throwable cause = broken.getCause();
        return new Unreadable(cause == null ? broken.getStatus().getDescription() : cause.getMessage());
      }
    }
  }

  private static final class Guard<Q> extends ServerCall.Listener<Object> {
    private final ServerCall<Object, ?> call;
    private final ServerCall.Listener<Q> inner;
    private boolean ended;

    Guard(ServerCall<Object, ?> call, ServerCall.Listener<Q> inner) {
      this.call = call;
      this.inner = inner;
    }

    @Override
    @SuppressWarnings("unchecked")
    public void onMessage(Object message) {
      if (ended) {
        return;
      }
      if (message instanceof Unreadable unreadable) {
        ended = true;
        call.close(Status.INTERNAL.withDescription(UNREADABLE + unreadable.why()), new Metadata());
        inner.onCancel();
      } else {
        inner.onMessage((Q) message);
      }
    }

    @Override
    public void onHalfClose() {
      if (!ended) {
        inner.onHalfClose();
      }
    }

    @Override
    public void onCancel() {
      if (!ended) {
        inner.onCancel();
      }
    }

    @Override
    public void onComplete() {
      if (!ended) {
        inner.onComplete();
      }
    }

    @Override
    public void onReady() {
      if (!ended) {
        inner.onReady();
      }
    }
  }
}
