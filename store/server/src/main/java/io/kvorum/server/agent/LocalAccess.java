package io.kvorum.server.agent;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.server.auth.AccessInterceptor;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.front.ConnectionCheck;
import io.kvorum.server.front.HttpHandler;
import io.kvorum.server.front.HttpRequest;
import io.kvorum.server.front.HttpResponse;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.concurrent.atomic.LongAdder;

/**
 * Who may call, in etcd's words: a connection of another user than the allowed ones gets {@code permission denied} for every call; where there are tokens, a call without
 * one gets {@code user name is empty}, and one with another {@code invalid auth token}.
 */
final class LocalAccess implements ServerInterceptor, MetricSource {
  private static final int UNAUTHORIZED = 401;

  /** Calls of the gateway check themselves: they bring the token of the HTTP request. */
  private static final String GATEWAY = "/v3/";

  private final LocalTokens tokens;
  private final LongAdder refused = new LongAdder();

  /**
   * @param tokens null when callers need none
   */
  LocalAccess(LocalTokens tokens) {
    this.tokens = tokens;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    if (Boolean.FALSE.equals(call.getAttributes().get(ConnectionCheck.ALLOWED))) {
      return refuse(call, EtcdError.PERMISSION_DENIED);
    }
    if (tokens == null || call.getMethodDescriptor().getFullMethodName().equals(AuthGrpc.getAuthenticateMethod().getFullMethodName())) {
      return next.startCall(call, headers);
    }
    String token = AccessInterceptor.token(headers);
    EtcdError refusal = refusal(token);
    if (refusal != null) {
      return refuse(call, refusal);
    }
    Held<Q, R> held = new Held<>(call);
    ServerCall.Listener<Q> inner = next.startCall(held, headers);
    HeldListener<Q> listener = new HeldListener<>(inner, held::end);
    held.listener = listener;
    tokens.began(token, listener.end);
    return listener;
  }

  private EtcdError refusal(String token) {
    if (token == null || token.isEmpty()) {
      return EtcdError.USER_NAME_IS_EMPTY;
    }
    return tokens.isValid(token) ? null : EtcdError.INVALID_AUTH_TOKEN;
  }

  private <Q, R> ServerCall.Listener<Q> refuse(ServerCall<Q, R> call, EtcdError refusal) {
    refused.increment();
    call.close(refusal.status(), new Metadata());
    return new ServerCall.Listener<>() {};
  }

  /** The same rule for what is not a call. */
  HttpHandler guarded(HttpHandler inner) {
    if (tokens == null) {
      return inner;
    }
    return (request, responder) -> {
      EtcdError refusal = request.path().startsWith(GATEWAY) ? null : refusal(token(request));
      if (refusal == null) {
        inner.handle(request, responder);
      } else {
        refused.increment();
        responder.respond(HttpResponse.error(UNAUTHORIZED, refusal.text()));
      }
    };
  }

  private static String token(HttpRequest request) {
    String value = request.header("authorization");
    return value.startsWith(AccessInterceptor.BEARER) ? value.substring(AccessInterceptor.BEARER.length()) : value;
  }

  @Override
  public void collect(MetricsText out) {
    out.counter("kvorum_agent_local_calls_refused_total", "Calls of local callers that were refused because of who they are.", refused.sum());
  }

  /** A call that may be ended from outside while its answers are being sent. */
  private static final class Held<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private volatile HeldListener<Q> listener;
    private boolean closed;

    Held(ServerCall<Q, R> call) {
      super(call);
    }

    @Override
    public synchronized void sendHeaders(Metadata headers) {
      if (!closed) {
        super.sendHeaders(headers);
      }
    }

    @Override
    public synchronized void sendMessage(R message) {
      if (!closed) {
        super.sendMessage(message);
      }
    }

    @Override
    public synchronized void close(Status status, Metadata trailers) {
      if (!closed) {
        closed = true;
        super.close(status, trailers);
      }
    }

    void end() {
      close(EtcdError.INVALID_AUTH_TOKEN.status(), new Metadata());
      listener.onCancel();
    }
  }

  private final class HeldListener<Q> extends SimpleForwardingServerCallListener<Q> {
    private final Runnable end;

    HeldListener(ServerCall.Listener<Q> inner, Runnable end) {
      super(inner);
      this.end = end;
    }

    @Override
    public void onCancel() {
      tokens.ended(end);
      super.onCancel();
    }

    @Override
    public void onComplete() {
      tokens.ended(end);
      super.onComplete();
    }
  }
}
