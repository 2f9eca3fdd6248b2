package io.kvorum.server.agent;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.server.base.EtcdError;
import java.util.function.LongSupplier;

/**
 * Auth.Authenticate, which is never passed on: whoever logs in here logs in to the agent. Any name will do, and a local token is its password and what is granted. Without
 * local tokens the answer is that authentication is not enabled, upon which clients go on without a token.
 */
final class LocalLogin implements ServerCallHandler<byte[], Object> {
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

  @Override
  public ServerCall.Listener<byte[]> startCall(ServerCall<byte[], Object> call, Metadata headers) {
    call.request(2);
    return new ServerCall.Listener<>() {
      private byte[] request = new byte[0];

      @Override
      public void onMessage(byte[] message) {
        request = message;
      }

      @Override
      public void onHalfClose() {
        answer(call, request);
      }
    };
  }

  private void answer(ServerCall<byte[], Object> call, byte[] encoded) {
    AuthenticateRequest request;
    try {
      request = AuthenticateRequest.parseFrom(encoded);
    } catch (InvalidProtocolBufferException broken) {
      call.close(Status.INTERNAL.withDescription("grpc: error unmarshalling request: " + broken.getMessage()), new Metadata());
      return;
    }
    if (tokens == null) {
      call.close(EtcdError.AUTHENTICATION_IS_NOT_ENABLED.status(), new Metadata());
    } else if (!tokens.isValid(request.getPassword())) {
      call.close(EtcdError.AUTHENTICATION_FAILED.status(), new Metadata());
    } else {
      call.sendHeaders(new Metadata());
      ResponseHeader header = ResponseHeader.newBuilder().setRevision(shown.getAsLong()).build();
      call.sendMessage(AuthenticateResponse.newBuilder().setHeader(header).setToken(request.getPassword()).build());
      call.close(Status.OK, new Metadata());
    }
  }
}
