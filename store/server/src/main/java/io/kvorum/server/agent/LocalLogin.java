package io.kvorum.server.agent;

import io.grpc.ServerMethodDefinition;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.server.base.EtcdError;
import java.util.function.LongSupplier;

/**
 * Auth.Authenticate, which is never passed on: whoever logs in here logs in to the agent. Any name will do, and a local token is its password and what is granted. Without
 * local tokens the answer is that authentication is not enabled, upon which clients go on without a token.
 */
final class LocalLogin {
  private final LocalTokens tokens;
  private final LongSupplier shown;

  /**
   * @param tokens null when callers need none
   * @param shown the revision for headers
   */
  LocalLogin(LocalTokens tokens, LongSupplier shown) {
    this.tokens = tokens;
    this.shown = shown;
  }

  ServerMethodDefinition<?, ?> method() {
    return ServerMethodDefinition.create(AuthGrpc.getAuthenticateMethod(), ServerCalls.asyncUnaryCall(this::authenticate));
  }

  private void authenticate(AuthenticateRequest request, StreamObserver<AuthenticateResponse> observer) {
    if (tokens == null) {
      observer.onError(EtcdError.AUTHENTICATION_IS_NOT_ENABLED.exception());
    } else if (!tokens.isValid(request.getPassword())) {
      observer.onError(EtcdError.AUTHENTICATION_FAILED.exception());
    } else {
      ResponseHeader header = ResponseHeader.newBuilder().setRevision(shown.getAsLong()).build();
      observer.onNext(AuthenticateResponse.newBuilder().setHeader(header).setToken(request.getPassword()).build());
      observer.onCompleted();
    }
  }
}
