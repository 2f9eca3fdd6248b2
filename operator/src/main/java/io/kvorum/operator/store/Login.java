package io.kvorum.operator.store;

import io.grpc.CallCredentials;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/** The token of the operator's own user at one member, taken when it first asks for it and again when it no longer knows it. Safe for several threads. */
final class Login {
  private static final Metadata.Key<String> TOKEN = Metadata.Key.of("token", Metadata.ASCII_STRING_MARSHALLER);

  private final AtomicReference<String> token = new AtomicReference<>("");

  /** Credentials of a call: the token, if there is one. */
  CallCredentials credentials() {
    String now = token.get();
    return new CallCredentials() {
      @Override
      public void applyRequestMetadata(RequestInfo request, Executor executor, MetadataApplier applier) {
        Metadata headers = new Metadata();
        if (!now.isEmpty()) {
          headers.put(TOKEN, now);
        }
        applier.apply(headers);
      }
    };
  }

  boolean hasToken() {
    return !token.get().isEmpty();
  }

  /** Whether an error says that this call needs a new token. */
  static boolean asksForToken(Status status) {
    String message = status.getDescription() == null ? "" : status.getDescription();
    return switch (status.getCode()) {
      case UNAUTHENTICATED -> true;
      case INVALID_ARGUMENT -> message.contains("user name is empty") || message.contains("revision of auth store is old");
      default -> false;
    };
  }

  /**
   * Takes a new token; without authentication in force there is none and none is needed.
   *
   * @return false when the member is a learner, which gives nobody a token but takes those of voters
   */
  boolean renew(AuthGrpc.AuthBlockingStub stub, StoreAccess.Login login) {
    try {
      AuthenticateRequest request = AuthenticateRequest.newBuilder().setName(login.user()).setPassword(login.password()).build();
      token.set(stub.withDeadlineAfter(StoreAdmin.TIMEOUT.toMillis(), TimeUnit.MILLISECONDS).authenticate(request).getToken());
      return true;
    } catch (StatusRuntimeException e) {
      token.set("");
      return e.getStatus().getDescription() == null || !e.getStatus().getDescription().contains("rpc not supported for learner");
    }
  }
}
