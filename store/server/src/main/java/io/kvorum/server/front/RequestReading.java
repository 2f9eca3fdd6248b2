package io.kvorum.server.front;

import com.google.protobuf.Message;
import com.google.protobuf.MessageLite;
import io.grpc.KnownLength;
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
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * Reads requests as etcd does: bytes that are no message end the call with Internal and say why, where grpc-java would say that an application failed; messages may be
 * nested as deep as a transaction may be; and one that is too large is refused in the words of grpc-go. For those words more is read than is taken: what is larger still
 * gets grpc-java's.
 */
final class RequestReading {
  /** Each nested transaction is two levels. */
  private static final int NESTING_MAX = 1_000;

  private static final String UNREADABLE = "grpc: error unmarshalling request: ";

  private static final int READ_TIMES_MORE = 4;
  private static final int READ_BYTES_LEAST = 16 << 20;

  private RequestReading() {}

  /** Stands for a request that is not handed on. */
  private record Refused(Status status) {}

  /** Largest message that the transport is to read, when so much is taken. */
  static int mostRead(int maxMessageBytes) {
    return (int) Math.min(Integer.MAX_VALUE, Math.max(READ_BYTES_LEAST, (long) READ_TIMES_MORE * maxMessageBytes));
  }

  static ServerServiceDefinition of(ServerServiceDefinition service, int maxMessageBytes) {
    ServerServiceDefinition.Builder reading = ServerServiceDefinition.builder(service.getServiceDescriptor().getName());
    service.getMethods().forEach(method -> reading.addMethod(of(method, maxMessageBytes)));
    return reading.build();
  }

  private static <Q, A> ServerMethodDefinition<Object, A> of(ServerMethodDefinition<Q, A> method, int maxMessageBytes) {
    MethodDescriptor<Q, A> descriptor = method.getMethodDescriptor();
    Marshaller<Object> lenient = new Lenient(deep(descriptor.getRequestMarshaller()), maxMessageBytes);
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

  private record Lenient(Marshaller<?> inner, int maxMessageBytes) implements Marshaller<Object> {
    @Override
    public InputStream stream(Object request) {
      throw new UnsupportedOperationException("requests are only read");
    }

    @Override
    public Object parse(InputStream stream) {
      try {
        int size = stream instanceof KnownLength ? stream.available() : 0;
        if (size > maxMessageBytes) {
          return new Refused(Status.RESOURCE_EXHAUSTED.withDescription("grpc: received message larger than max (" + size + " vs. " + maxMessageBytes + ")"));
        }
        Object request = inner.parse(stream);
        // Of what comes compressed, the size is only known now.
        boolean tooLarge = size == 0 && request instanceof MessageLite message && message.getSerializedSize() > maxMessageBytes;
        String text = "grpc: received message after decompression larger than max " + maxMessageBytes;
        return tooLarge ? new Refused(Status.RESOURCE_EXHAUSTED.withDescription(text)) : request;
      } catch (StatusRuntimeException broken) {
        Throwable cause = broken.getCause();
        String why = cause == null ? broken.getStatus().getDescription() : cause.getMessage();
        return new Refused(Status.INTERNAL.withDescription(UNREADABLE + why));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
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
      if (message instanceof Refused refused) {
        ended = true;
        call.close(refused.status(), new Metadata());
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
