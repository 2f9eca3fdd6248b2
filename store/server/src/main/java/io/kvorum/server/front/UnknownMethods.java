package io.kvorum.server.front;

import com.google.common.io.ByteStreams;
import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Refuses calls of methods that there are not in the words of grpc-go, before any interceptor sees them, as there. */
final class UnknownMethods extends HandlerRegistry {
  private static final Marshaller<byte[]> BYTES =
      new Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return ByteStreams.toByteArray(stream);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
      };

  private static final MethodDescriptor<byte[], byte[]> UNKNOWN =
      MethodDescriptor.newBuilder(BYTES, BYTES).setType(MethodDescriptor.MethodType.BIDI_STREAMING).setFullMethodName("unknown/unknown").build();

  private final Set<String> services;

  UnknownMethods(List<ServerServiceDefinition> services) {
    this.services = services.stream().map(service -> service.getServiceDescriptor().getName()).collect(Collectors.toUnmodifiableSet());
  }

  /** The same, for methods that there are. */
  static ServerInterceptor onlyKnown(ServerInterceptor inner) {
    return new ServerInterceptor() {
      @Override
      public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        return call.getMethodDescriptor() == (Object) UNKNOWN ? next.startCall(call, headers) : inner.interceptCall(call, headers, next);
      }
    };
  }

  @Override
  public ServerMethodDefinition<?, ?> lookupMethod(String name, String authority) {
    Status refusal = Status.UNIMPLEMENTED.withDescription(text(name));
    return ServerMethodDefinition.create(
        UNKNOWN,
        (call, headers) -> {
          call.close(refusal, new Metadata());
          return new ServerCall.Listener<>() {};
        });
  }

  private String text(String name) {
    int slash = name.lastIndexOf('/');
    if (slash < 0) {
      return "malformed method name: \"/" + name.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
    }
    String service = name.substring(0, slash);
    return services.contains(service) ? "unknown method " + name.substring(slash + 1) + " for service " + service : "unknown service " + service;
  }
}
