package io.kvorum.server.auth;

import com.google.protobuf.Message;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.authpb.User;
import io.kvorum.protocol.etcdserverpb.AuthDisableRequest;
import io.kvorum.protocol.etcdserverpb.AuthDisableResponse;
import io.kvorum.protocol.etcdserverpb.AuthEnableRequest;
import io.kvorum.protocol.etcdserverpb.AuthEnableResponse;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddResponse;
import io.kvorum.protocol.etcdserverpb.AuthRoleDeleteRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleDeleteResponse;
import io.kvorum.protocol.etcdserverpb.AuthRoleGetRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGetResponse;
import io.kvorum.protocol.etcdserverpb.AuthRoleGrantPermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGrantPermissionResponse;
import io.kvorum.protocol.etcdserverpb.AuthRoleListRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleListResponse;
import io.kvorum.protocol.etcdserverpb.AuthRoleRevokePermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleRevokePermissionResponse;
import io.kvorum.protocol.etcdserverpb.AuthStatusRequest;
import io.kvorum.protocol.etcdserverpb.AuthStatusResponse;
import io.kvorum.protocol.etcdserverpb.AuthUserAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserAddResponse;
import io.kvorum.protocol.etcdserverpb.AuthUserChangePasswordRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserChangePasswordResponse;
import io.kvorum.protocol.etcdserverpb.AuthUserDeleteRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserDeleteResponse;
import io.kvorum.protocol.etcdserverpb.AuthUserGetRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGetResponse;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleResponse;
import io.kvorum.protocol.etcdserverpb.AuthUserListRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserListResponse;
import io.kvorum.protocol.etcdserverpb.AuthUserRevokeRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserRevokeRoleResponse;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.InternalAuthenticateRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.LogRequestHeader;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Proposals;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiFunction;

/**
 * {@code etcdserverpb.Auth}. Everything, reading included, goes through the log and is decided there. Passwords are hashed before, and checked on the password threads;
 * they never reach the log.
 */
public final class AuthService extends AuthGrpc.AuthImplBase {
  /** Log-ins that meet a change of users or roles each time are given up after so many. */
  private static final int LOG_INS_MAX = 10;

  private final Kernel kernel;
  private final Proposals log;
  private final Access access;
  private final AuthState state;
  private final Executor workers;
  private final Passwords passwords;

  /**
   * @param kernel its proposals carry the caller
   * @param log proposals without a caller, for log-ins
   * @param workers hashes, checks and signs; bounded
   * @param bcryptCost 4 to 31
   */
  public AuthService(Kernel kernel, Proposals log, Access access, AuthState state, Executor workers, int bcryptCost) {
    this.kernel = kernel;
    this.log = log;
    this.access = access;
    this.state = state;
    this.workers = workers;
    this.passwords = new Passwords(bcryptCost);
  }

  /** Sets the header of one kind of answer. */
  private interface Headed<A> extends BiFunction<A, ResponseHeader, A> {}

  private <A> void propose(LogRequest.Builder request, StreamObserver<A> observer, Headed<A> headed) {
    kernel.proposals().propose(request, new Answer<>(observer, headed));
  }

  private final class Answer<A> implements Completion<A> {
    private final StreamObserver<A> observer;
    private final Headed<A> headed;

    Answer(StreamObserver<A> observer, Headed<A> headed) {
      this.observer = observer;
      this.headed = headed;
    }

    @Override
    public void done(A answer) {
      // What apply returned carries the revision alone in its header.
      Message message = (Message) answer;
      ResponseHeader applied = (ResponseHeader) message.getField(message.getDescriptorForType().findFieldByName("header"));
      observer.onNext(headed.apply(answer, kernel.header(applied.getRevision())));
      observer.onCompleted();
    }

    @Override
    public void failed(StatusRuntimeException reason) {
      observer.onError(reason);
    }
  }

  @Override
  public void authEnable(AuthEnableRequest request, StreamObserver<AuthEnableResponse> observer) {
    propose(LogRequest.newBuilder().setAuthEnable(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void authDisable(AuthDisableRequest request, StreamObserver<AuthDisableResponse> observer) {
    propose(LogRequest.newBuilder().setAuthDisable(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void authStatus(AuthStatusRequest request, StreamObserver<AuthStatusResponse> observer) {
    propose(LogRequest.newBuilder().setAuthStatus(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void userGet(AuthUserGetRequest request, StreamObserver<AuthUserGetResponse> observer) {
    propose(LogRequest.newBuilder().setAuthUserGet(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void userList(AuthUserListRequest request, StreamObserver<AuthUserListResponse> observer) {
    propose(LogRequest.newBuilder().setAuthUserList(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void userDelete(AuthUserDeleteRequest request, StreamObserver<AuthUserDeleteResponse> observer) {
    propose(LogRequest.newBuilder().setAuthUserDelete(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void userGrantRole(AuthUserGrantRoleRequest request, StreamObserver<AuthUserGrantRoleResponse> observer) {
    propose(LogRequest.newBuilder().setAuthUserGrantRole(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void userRevokeRole(AuthUserRevokeRoleRequest request, StreamObserver<AuthUserRevokeRoleResponse> observer) {
    propose(LogRequest.newBuilder().setAuthUserRevokeRole(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void roleAdd(AuthRoleAddRequest request, StreamObserver<AuthRoleAddResponse> observer) {
    propose(LogRequest.newBuilder().setAuthRoleAdd(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void roleGet(AuthRoleGetRequest request, StreamObserver<AuthRoleGetResponse> observer) {
    propose(LogRequest.newBuilder().setAuthRoleGet(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void roleList(AuthRoleListRequest request, StreamObserver<AuthRoleListResponse> observer) {
    propose(LogRequest.newBuilder().setAuthRoleList(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void roleDelete(AuthRoleDeleteRequest request, StreamObserver<AuthRoleDeleteResponse> observer) {
    propose(LogRequest.newBuilder().setAuthRoleDelete(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void roleGrantPermission(AuthRoleGrantPermissionRequest request, StreamObserver<AuthRoleGrantPermissionResponse> observer) {
    propose(LogRequest.newBuilder().setAuthRoleGrantPermission(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  @Override
  public void roleRevokePermission(AuthRoleRevokePermissionRequest request, StreamObserver<AuthRoleRevokePermissionResponse> observer) {
    propose(LogRequest.newBuilder().setAuthRoleRevokePermission(request), observer, (a, h) -> a.toBuilder().setHeader(h).build());
  }

  /** As in etcd a hash that the request brings along is replaced by that of its password, even of an empty one. */
  @Override
  public void userAdd(AuthUserAddRequest request, StreamObserver<AuthUserAddResponse> observer) {
    Answer<AuthUserAddResponse> answer = new Answer<>(observer, (a, h) -> a.toBuilder().setHeader(h).build());
    if (request.getOptions().getNoPassword()) {
      kernel.proposals().propose(LogRequest.newBuilder().setAuthUserAdd(request.toBuilder().clearPassword().clearHashedPassword()), answer);
      return;
    }
    asAdmin(
        answer,
        () -> {
          String hash = passwords.hash(request.getPassword());
          kernel.proposals().propose(LogRequest.newBuilder().setAuthUserAdd(request.toBuilder().clearPassword().setHashedPassword(hash)), answer);
        });
  }

  /** As in etcd a hash that the request brings along counts when there is no password. */
  @Override
  public void userChangePassword(AuthUserChangePasswordRequest request, StreamObserver<AuthUserChangePasswordResponse> observer) {
    Answer<AuthUserChangePasswordResponse> answer = new Answer<>(observer, (a, h) -> a.toBuilder().setHeader(h).build());
    if (request.getPassword().isEmpty()) {
      kernel.proposals().propose(LogRequest.newBuilder().setAuthUserChangePassword(request), answer);
      return;
    }
    asAdmin(
        answer,
        () -> {
          String hash = passwords.hash(request.getPassword());
          kernel
              .proposals()
              .propose(LogRequest.newBuilder().setAuthUserChangePassword(request.toBuilder().clearPassword().setHashedPassword(hash)), answer);
        });
  }

  /** Hashing is dear: nobody else makes this member do it. */
  private void asAdmin(Completion<?> completion, Runnable work) {
    Caller caller = access.caller();
    Runnable inCall = Context.current().wrap(work);
    whenCurrent(
        completion,
        () -> {
          EtcdError refusal = access.admin(caller);
          if (refusal == null) {
            inCall.run();
          } else {
            completion.failed(refusal.exception());
          }
        });
  }

  /** Works on the password threads once this member knows all that anybody was told. */
  private void whenCurrent(Completion<?> completion, Runnable work) {
    kernel
        .reads()
        .await(
            new Completion<>() {
              @Override
              public void done(Void nothing) {
                onWorkers(completion, work);
              }

              @Override
              public void failed(StatusRuntimeException reason) {
                completion.failed(reason);
              }
            });
  }

  private void onWorkers(Completion<?> completion, Runnable work) {
    try {
      workers.execute(
          () -> {
            try {
              work.run();
            } catch (StatusRuntimeException refused) {
              completion.failed(refused);
            } catch (RuntimeException broken) {
              completion.failed(Status.INTERNAL.withDescription(String.valueOf(broken.getMessage())).asRuntimeException());
            }
          });
    } catch (RejectedExecutionException full) {
      completion.failed(EtcdError.TOO_MANY_REQUESTS.exception());
    }
  }

  @Override
  public void authenticate(AuthenticateRequest request, StreamObserver<AuthenticateResponse> observer) {
    logIn(request, new Answer<>(observer, (a, h) -> a.toBuilder().setHeader(h).build()), LOG_INS_MAX);
  }

  private void logIn(AuthenticateRequest request, Completion<AuthenticateResponse> completion, int attempts) {
    whenCurrent(
        completion,
        () -> {
          AuthView view = state.view();
          EtcdError refusal = refusal(view, request);
          if (refusal != null) {
            completion.failed(refusal.exception());
            return;
          }
          LogRequest.Builder entry =
              LogRequest.newBuilder()
                  .setHeader(LogRequestHeader.newBuilder().setAuthRevision(view.revision()))
                  .setAuthenticate(InternalAuthenticateRequest.newBuilder().setName(request.getName()).setSimpleToken(access.tokens().random()));
          log.propose(entry, new LoggedIn(request, view.revision(), completion, attempts));
        });
  }

  private EtcdError refusal(AuthView view, AuthenticateRequest request) {
    if (!view.enabled()) {
      return EtcdError.AUTHENTICATION_IS_NOT_ENABLED;
    }
    User user = view.users().get(request.getName());
    if (user == null) {
      return EtcdError.AUTHENTICATION_FAILED;
    }
    if (user.getOptions().getNoPassword()) {
      return EtcdError.NO_PASSWORD_USER;
    }
    return passwords.matches(user.getPassword(), request.getPassword()) ? null : EtcdError.AUTHENTICATION_FAILED;
  }

  /** What the log made of a log-in. */
  private final class LoggedIn implements Completion<AuthenticateResponse> {
    private final AuthenticateRequest request;
    private final long revision;
    private final Completion<AuthenticateResponse> completion;
    private final int attempts;

    LoggedIn(AuthenticateRequest request, long revision, Completion<AuthenticateResponse> completion, int attempts) {
      this.request = request;
      this.revision = revision;
      this.completion = completion;
      this.attempts = attempts;
    }

    @Override
    public void done(AuthenticateResponse answer) {
      onWorkers(
          completion,
          () -> {
            String token = access.tokens().sign(request.getName(), revision, answer.getToken());
            completion.done(answer.toBuilder().setToken(token).build());
          });
    }

    /** Users or roles changed after the password was checked: it is checked again. */
    @Override
    public void failed(StatusRuntimeException reason) {
      boolean changed = EtcdError.REVISION_OF_AUTH_STORE_IS_OLD.text().equals(reason.getStatus().getDescription());
      if (changed && attempts > 1) {
        logIn(request, completion, attempts - 1);
      } else {
        completion.failed(reason);
      }
    }
  }
}
