package io.kvorum.server.recipe;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.kvorum.server.auth.Access;
import io.kvorum.server.auth.AccessInterceptor;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Carries a caller's token, or the name in its certificate, over to the calls that are made in its name, so that it may do here what it may do itself, and no more. */
final class CallerIdentity implements ServerInterceptor, ClientInterceptor {
  private static final Context.Key<Metadata> CALLER = Context.key("caller");
  private static final List<Metadata.Key<String>> CARRIED =
      List.of(Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER), Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER));

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Metadata carried = new Metadata();
    for (Metadata.Key<String> key : CARRIED) {
      String value = headers.get(key);
      if (value != null) {
        carried.put(key, value);
      }
    }
    String name = Access.commonName();
    if (name != null) {
      carried.put(AccessInterceptor.CALLER_NAME, name.getBytes(StandardCharsets.UTF_8));
    }
    return Contexts.interceptCall(Context.current().withValue(CALLER, carried), call, headers, next);
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return new ForwardingClientCall.SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<R> listener, Metadata headers) {
        Metadata carried = CALLER.get();
        if (carried != null) {
          headers.merge(carried);
        }
        super.start(listener, headers);
      }
    };
  }
}
