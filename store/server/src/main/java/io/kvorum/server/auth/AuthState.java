package io.kvorum.server.auth;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.kvorum.protocol.authpb.Role;
import io.kvorum.protocol.authpb.User;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AuthDisableResponse;
import io.kvorum.protocol.etcdserverpb.AuthEnableResponse;
import io.kvorum.protocol.etcdserverpb.AuthStatusResponse;
import io.kvorum.protocol.etcdserverpb.AuthenticateResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.InternalAuthenticateRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.LogRequestHeader;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.StoredAuth;
import io.kvorum.server.apply.AuthRules;
import io.kvorum.server.apply.LeaseState;
import io.kvorum.server.apply.RequestKind;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.List;

/**
 * The replicated users, roles and permissions. Changed by apply alone, on the raft thread; {@link #view} may be asked by any thread. A view is published before the batch
 * that it belongs to: whoever takes a view of the store first and a view of permissions after it never sees keys that a later rule hides.
 */
public final class AuthState implements AuthRules, MetricSource {
  private final TokenEvents tokens;
  private final UserChanges users = new UserChanges();
  private final RoleChanges roles = new RoleChanges();
  private volatile AuthView view = AuthView.empty();

  /** With tokens that nobody keeps. */
  public AuthState() {
    this(TokenEvents.NONE);
  }

  AuthState(TokenEvents tokens) {
    this.tokens = tokens;
  }

  /** @param tokens told which tokens begin and end */
  public AuthState(SimpleTokens tokens) {
    this((TokenEvents) tokens);
  }

  @Override
  public void collect(MetricsText out) {
    out.gauge("etcd_debugging_auth_revision", "The current revision of auth store.", view.revision());
  }

  AuthView view() {
    return view;
  }

  @Override
  public EtcdError refusal(RequestKind kind, LogRequest request, LeaseState leases) {
    AuthView now = view;
    if (!now.enabled()) {
      return null;
    }
    LogRequestHeader header = request.getHeader();
    if (header.getOwn()) {
      return null;
    }
    Caller caller = Caller.of(header.getUsername(), header.getAuthRevision());
    KeyAccess keys = new KeyAccess(now, caller);
    return switch (kind) {
      case PUT -> keys.put(request.getPut(), leases::keysOf);
      case TXN -> keys.txn(request.getTxn(), leases::keysOf);
      case DELETE_RANGE -> keys.delete(request.getDeleteRange());
      case COMPACTION -> now.admin(caller);
      case LEASE_GRANT -> now.user(caller);
      // The lease is new, so there are no other keys that would go with it.
      case PUT_WITH_LEASE -> keys.put(request.getPutWithLease().getPut(), lease -> List.of());
      case LEASE_REVOKE -> keys.writeAll(leases.keysOf(request.getLeaseRevoke().getID()));
      case ALARM -> request.getAlarm().getAction() == AlarmRequest.AlarmAction.GET ? now.user(caller) : now.admin(caller);
      case AUTH -> refusal(now, caller, request);
      // Never a client's own; the services that cause them ask for permission first.
      case LEASE_CHECKPOINT, CLUSTER_VERSION_SET, MEMBER_ATTRIBUTES_SET, DOWNGRADE_SET, FEATURE_LEVEL_SET, UNKNOWN -> null;
    };
  }

  /** Everybody may log in, look at its own user and at the roles that it has; all else takes the root role. */
  private static EtcdError refusal(AuthView now, Caller caller, LogRequest request) {
    if (request.hasAuthenticate()) {
      return null;
    }
    EtcdError refusal = now.admin(caller);
    if (refusal == null || caller.name().isEmpty()) {
      return refusal;
    }
    if (request.hasAuthUserGet() && request.getAuthUserGet().getName().equals(caller.name())) {
      return null;
    }
    return request.hasAuthRoleGet() && now.hasRole(caller.name(), request.getAuthRoleGet().getRole()) ? null : refusal;
  }

  @Override
  public Outcome apply(long index, LogRequest request, ResponseHeader header) {
    Step step = step(index, request, header);
    if (step.refusal() == null) {
      view = step.after();
      if (step.userChanged() != null) {
        tokens.userChanged(step.userChanged());
      }
    }
    return new Outcome(step.answer(), step.refusal());
  }

  private Step step(long index, LogRequest request, ResponseHeader header) {
    AuthView now = view;
    if (request.hasAuthenticate()) {
      return authenticate(now, index, request, header);
    }
    if (request.hasAuthEnable()) {
      return enable(now, header);
    }
    if (request.hasAuthDisable()) {
      if (!now.enabled()) {
        return Step.same(now, AuthDisableResponse.newBuilder().setHeader(header).build());
      }
      tokens.allEnd();
      return Step.to(now.off(), AuthDisableResponse.newBuilder().setHeader(header).build());
    }
    if (request.hasAuthStatus()) {
      return Step.same(now, AuthStatusResponse.newBuilder().setHeader(header).setEnabled(now.enabled()).setAuthRevision(now.revision()).build());
    }
    Step step = users.apply(now, request, header);
    return step != null ? step : roles.apply(now, request, header);
  }

  private static Step enable(AuthView now, ResponseHeader header) {
    AuthEnableResponse answer = AuthEnableResponse.newBuilder().setHeader(header).build();
    if (now.enabled()) {
      return Step.same(now, answer);
    }
    if (!now.users().containsKey(AuthView.ROOT)) {
      return Step.refused(EtcdError.ROOT_USER_DOES_NOT_EXIST);
    }
    return now.hasRole(AuthView.ROOT, AuthView.ROOT) ? Step.to(now.on(), answer) : Step.refused(EtcdError.ROOT_USER_DOES_NOT_HAVE_ROOT_ROLE);
  }

  /** The password was checked before, at the auth revision in the header; if anything changed since then it has to be checked again. */
  private Step authenticate(AuthView now, long index, LogRequest request, ResponseHeader header) {
    InternalAuthenticateRequest login = request.getAuthenticate();
    if (!now.enabled()) {
      return Step.refused(EtcdError.AUTHENTICATION_IS_NOT_ENABLED);
    }
    if (request.getHeader().getAuthRevision() != now.revision()) {
      return Step.refused(EtcdError.REVISION_OF_AUTH_STORE_IS_OLD);
    }
    User user = now.users().get(login.getName());
    if (user == null) {
      return Step.refused(EtcdError.AUTHENTICATION_FAILED);
    }
    AuthenticateResponse.Builder answer = AuthenticateResponse.newBuilder().setHeader(header);
    if (!login.getSimpleToken().isEmpty()) {
      String token = login.getSimpleToken() + "." + index;
      tokens.issued(login.getName(), token);
      answer.setToken(token);
    }
    return Step.same(now, answer.build());
  }

  @Override
  public void save(MachineState.Builder checkpoint) {
    AuthView now = view;
    StoredAuth stored =
        StoredAuth.newBuilder()
            .setEnabled(now.enabled())
            .setRevision(now.revision())
            .addAllUsers(now.users().values())
            .addAllRoles(now.roles().values())
            .build();
    checkpoint.setAuth(stored.toByteString());
  }

  @Override
  public void restore(MachineState checkpoint) {
    tokens.allEnd();
    ByteString bytes = checkpoint.getAuth();
    if (bytes.isEmpty()) {
      view = AuthView.empty();
      return;
    }
    try {
      StoredAuth stored = StoredAuth.parseFrom(bytes);
      SortedMap<String, User> storedUsers = new TreeMap<>();
      stored.getUsersList().forEach(user -> storedUsers.put(user.getName().toStringUtf8(), user));
      SortedMap<String, Role> storedRoles = new TreeMap<>();
      stored.getRolesList().forEach(role -> storedRoles.put(role.getName().toStringUtf8(), role));
      view = new AuthView(stored.getEnabled(), stored.getRevision(), storedUsers, storedRoles);
    } catch (InvalidProtocolBufferException damaged) {
      throw new IllegalStateException("the checkpoint's users and roles cannot be read", damaged);
    }
  }
}
