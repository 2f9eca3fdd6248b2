package io.kvorum.server.agent;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.kvorum.server.agent.upstream.Seen;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Passes calls on to the cluster: messages as they are, in both directions and no faster than their reader takes them; deadline and cancellation; status, text and
 * trailers as they come. Of the caller's metadata everything but credentials and what belongs to the connection.
 */
final class Forwarding {
  private static final List<String> OWN_METADATA = List.of("token", "authorization", "kvorum-caller-name-bin", "user-agent", "content-type", "te");

  /** What gRPC and its gateways say to each other. */
  private static final String OF_GRPC = "grpc";

  private final Channel upstream;
  private final Seen shown;

  /**
   * @param upstream to the cluster, with the agent's credentials
   * @param shown takes note of all revisions that local callers have been told
   */
  Forwarding(Channel upstream, Seen shown) {
    this.upstream = upstream;
    this.shown = shown;
  }

  /** Like {@link #service(ServiceDescriptor, Map)}, all methods passed on. */
  ServerServiceDefinition service(ServiceDescriptor service) {
    return service(service, Map.of());
  }

  /**
   * A service whose calls are passed on.
   *
   * @param others by bare method name: those that are served otherwise
   */
  ServerServiceDefinition service(ServiceDescriptor service, Map<String, ServerMethodDefinition<?, ?>> others) {
    ServerServiceDefinition.Builder forwarded = ServerServiceDefinition.builder(service.getName());
    for (MethodDescriptor<?, ?> method : service.getMethods()) {
      ServerMethodDefinition<?, ?> other = others.get(method.getBareMethodName());
      if (other != null) {
        forwarded.addMethod(other);
      } else {
        forwarded.addMethod(method.toBuilder(Bytes.AS_THEY_ARE, Bytes.AS_THEY_ARE).build(), this::forward);
      }
    }
    return forwarded.build();
  }

  /** Passes on a call. */
  private ServerCall.Listener<byte[]> forward(ServerCall<byte[], byte[]> call, Metadata headers) {
    // The port reads requests in its own way, which is no way to write them.
    MethodDescriptor<byte[], byte[]> method = call.getMethodDescriptor().toBuilder(Bytes.AS_THEY_ARE, Bytes.AS_THEY_ARE).build();
    ForwardedCall forwarded = new ForwardedCall(call, upstream.newCall(method, CallOptions.DEFAULT), shown);
    forwarded.start(forUpstream(headers));
    return forwarded;
  }

  /** The caller's metadata as the cluster is to see it. */
  static Metadata forUpstream(Metadata headers) {
    Metadata passed = new Metadata();
    passed.merge(headers);
    for (String name : headers.keys()) {
      if (OWN_METADATA.contains(name) || name.toLowerCase(Locale.ROOT).startsWith(OF_GRPC)) {
        passed.discardAll(key(name));
      }
    }
    return passed;
  }

  private static Metadata.Key<?> key(String name) {
    return name.endsWith(Metadata.BINARY_HEADER_SUFFIX)
        ? Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER)
        : Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
