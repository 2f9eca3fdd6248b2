package io.kvorum.server.agent.upstream;

import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateResponse;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.logging.Log;
import java.io.IOException;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * The token of the agent's user.
 *
 * <ol>
 *   <li>It is got with the first call, one login for all that wait, and used until a call is refused because of it.
 *   <li>The password is read for each login, so that one that has changed counts.
 *   <li>A cluster without users needs no token; once it has users, the refusal of a call leads to a login.
 *   <li>A refused login is the answer to all calls of the next second, then of the next two, and so on up to ten: each costs a member a bcrypt.
 * </ol>
 */
final class Login {
  /** What calls go without. */
  static final String NONE = "";

  private static final Log LOG = Log.of(Login.class);
  private static final long PAUSE_NANOS_MIN = TimeUnit.SECONDS.toNanos(1);
  private static final long PAUSE_NANOS_MAX = TimeUnit.SECONDS.toNanos(10);

  /** Answers by which a member says that it wants another token. */
  private static final Set<String> REFUSALS =
      Set.of(EtcdError.INVALID_AUTH_TOKEN.text(), EtcdError.REVISION_OF_AUTH_STORE_IS_OLD.text(), EtcdError.USER_NAME_IS_EMPTY.text());

  private final Credentials credentials;
  private final long timeoutNanos;
  private final LongSupplier nanoTime;
  private final LongAdder logins = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private CompletableFuture<String> token;
  private long pauseNanos = PAUSE_NANOS_MIN;
  private long refusedUntil;
  private String refusedPassword;

  Login(Credentials credentials, long timeoutNanos, LongSupplier nanoTime) {
    this.credentials = credentials;
    this.timeoutNanos = timeoutNanos;
    this.nanoTime = nanoTime;
    if (!(credentials instanceof Credentials.User)) {
      token = CompletableFuture.completedFuture(credentials instanceof Credentials.Bearer bearer ? bearer.token() : NONE);
    }
  }

  /** Whether an answer may be another one with a new token. */
  boolean concerns(Status status) {
    return credentials instanceof Credentials.User && status.getDescription() != null && REFUSALS.contains(status.getDescription());
  }

  /** The token for calls; fails with the status that the caller is to see. */
  CompletableFuture<String> token(Member member) {
    CompletableFuture<String> running;
    Credentials.User user;
    String password;
    synchronized (this) {
      if (token != null && !(token.isCompletedExceptionally() && mayTryAgain())) {
        return token;
      }
      running = new CompletableFuture<>();
      token = running;
      user = (Credentials.User) credentials;
    }
    try {
      password = user.password().read();
    } catch (IOException unreadable) {
      ended(running, null, null, Status.UNAUTHENTICATED.withDescription("kvorum agent: cannot read the password: " + unreadable.getMessage()));
      return running;
    }
    Context.ROOT.run(() -> login(member, user.name(), password, running));
    return running;
  }

  /** After the pause, or at once with another password. */
  private boolean mayTryAgain() {
    return nanoTime.getAsLong() - refusedUntil >= 0 || changed();
  }

  private boolean changed() {
    try {
      return refusedPassword != null && credentials instanceof Credentials.User user && !user.password().read().equals(refusedPassword);
    } catch (IOException unreadable) {
      return false;
    }
  }

  /** A member did not take this token: the next call gets another one. */
  synchronized void refused(String former) {
    if (credentials instanceof Credentials.User && token != null && token.isDone() && !token.isCompletedExceptionally() && token.join().equals(former)) {
      token = null;
    }
  }

  private void login(Member member, String name, String password, CompletableFuture<String> running) {
    logins.increment();
    AuthenticateRequest request = AuthenticateRequest.newBuilder().setName(name).setPassword(password).build();
    ClientCall<AuthenticateRequest, AuthenticateResponse> call =
        member.channel().newCall(AuthGrpc.getAuthenticateMethod(), io.grpc.CallOptions.DEFAULT.withDeadlineAfter(timeoutNanos, TimeUnit.NANOSECONDS));
    ClientCalls.asyncUnaryCall(
        call, request,
        new StreamObserver<>() {
          @Override
          public void onNext(AuthenticateResponse answer) {
            ended(running, password, answer.getToken(), null);
          }

          @Override
          public void onError(Throwable reason) {
            Status status = Status.fromThrowable(reason);
            if (EtcdError.AUTHENTICATION_IS_NOT_ENABLED.text().equals(status.getDescription())) {
              ended(running, password, NONE, null);
            } else {
              ended(running, password, null, status);
            }
          }

          @Override
          public void onCompleted() {
            // The answer was all.
          }
        });
  }

  /**
   * @param granted null when it failed
   */
  private void ended(CompletableFuture<String> running, String password, String granted, Status refusal) {
    if (granted != null) {
      synchronized (this) {
        pauseNanos = PAUSE_NANOS_MIN;
      }
      LOG.debug("logged in", "credentials", credentials.toString());
      running.complete(granted);
      return;
    }
    failures.increment();
    Status shown = refusal.getCode() == Status.Code.DEADLINE_EXCEEDED ? EtcdError.TIMED_OUT.status() : refusal;
    synchronized (this) {
      if (shown.getCode() == Status.Code.UNAVAILABLE) {
        // The member's failure, not the user's: the next call tries again.
        token = null;
      } else {
        refusedPassword = password;
        refusedUntil = nanoTime.getAsLong() + pauseNanos;
        pauseNanos = Math.min(2 * pauseNanos, PAUSE_NANOS_MAX);
        LOG.warn("login refused", "credentials", credentials.toString(), "code", shown.getCode().name(), "error", String.valueOf(shown.getDescription()));
      }
    }
    running.completeExceptionally(new StatusRuntimeException(shown));
  }

  long logins() {
    return logins.sum();
  }

  long failures() {
    return failures.sum();
  }
}
