package io.kvorum.operator.store;

import io.grpc.StatusRuntimeException;
import io.kvorum.operator.store.StoreAdmin.Endpoint;
import io.kvorum.operator.store.StoreAdmin.StoreException;
import io.kvorum.operator.workload.Permission;
import io.kvorum.operator.workload.Permission.Access;
import io.kvorum.operator.workload.Users;
import io.kvorum.operator.workload.Workload;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthGrpc.AuthBlockingStub;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleDeleteRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGetRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGrantPermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleListRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleRevokePermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthStatusRequest;
import io.kvorum.protocol.etcdserverpb.AuthStatusResponse;
import io.kvorum.protocol.etcdserverpb.AuthUserAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserChangePasswordRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserDeleteRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGetRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserListRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserRevokeRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * {@link UserAdmin} over etcd's Auth service, as root. What was read is kept for as long as neither the cluster nor its auth revision is another one, so that a look at a
 * cluster where nothing happened is one call. Not safe for several threads.
 */
public final class GrpcUserAdmin implements UserAdmin {
  private final GrpcStoreAdmin store;
  private Known known = new Known(0, -1, null);

  private record Known(long clusterId, long revision, Users users) {}

  /** @param store whose connections and credentials are used */
  public GrpcUserAdmin(GrpcStoreAdmin store) {
    this.store = store;
  }

  @Override
  public Users read(List<Endpoint> through) throws StoreException {
    return GrpcStoreAdmin.any(through, this::read);
  }

  private Users read(Endpoint endpoint) {
    AuthStatusResponse status = call(endpoint, stub -> stub.authStatus(AuthStatusRequest.getDefaultInstance()));
    long cluster = status.getHeader().getClusterId();
    if (known.users() != null && known.clusterId() == cluster && known.revision() == status.getAuthRevision() && known.users().enabled() == status.getEnabled()) {
      return known.users();
    }
    Map<String, Set<String>> users = new HashMap<>();
    for (String name : call(endpoint, stub -> stub.userList(AuthUserListRequest.getDefaultInstance())).getUsersList()) {
      if (name.startsWith(Workload.USER_PREFIX)) {
        AuthUserGetRequest request = AuthUserGetRequest.newBuilder().setName(name).build();
        users.put(name, new HashSet<>(call(endpoint, stub -> stub.userGet(request)).getRolesList()));
      }
    }
    Map<String, Set<Permission>> roles = new HashMap<>();
    for (String name : call(endpoint, stub -> stub.roleList(AuthRoleListRequest.getDefaultInstance())).getRolesList()) {
      if (name.startsWith(Workload.USER_PREFIX)) {
        Set<Permission> permissions = new HashSet<>();
        AuthRoleGetRequest request = AuthRoleGetRequest.newBuilder().setRole(name).build();
        call(endpoint, stub -> stub.roleGet(request)).getPermList().forEach(one -> permissions.add(permission(one)));
        roles.put(name, permissions);
      }
    }
    known = new Known(cluster, status.getAuthRevision(), new Users(cluster, status.getEnabled(), users, roles));
    return known.users();
  }

  private static Permission permission(io.kvorum.protocol.authpb.Permission one) {
    Access access = switch (one.getPermType()) {
      case READ -> Access.READ;
      case WRITE -> Access.WRITE;
      case READWRITE, UNRECOGNIZED -> Access.READWRITE;
    };
    return new Permission(one.getKey(), one.getRangeEnd(), access);
  }

  @Override
  public void addRole(List<Endpoint> through, String role) throws StoreException {
    AuthRoleAddRequest request = AuthRoleAddRequest.newBuilder().setName(role).build();
    done("role name already exists", through, stub -> stub.roleAdd(request));
  }

  @Override
  public void grant(List<Endpoint> through, String role, Permission permission) throws StoreException {
    var perm =
        io.kvorum.protocol.authpb.Permission.newBuilder()
            .setKey(permission.key())
            .setRangeEnd(permission.end())
            .setPermType(io.kvorum.protocol.authpb.Permission.Type.valueOf(permission.access().name()));
    AuthRoleGrantPermissionRequest request = AuthRoleGrantPermissionRequest.newBuilder().setName(role).setPerm(perm).build();
    GrpcStoreAdmin.any(through, endpoint -> call(endpoint, stub -> stub.roleGrantPermission(request)));
  }

  @Override
  public void revoke(List<Endpoint> through, String role, Permission permission) throws StoreException {
    AuthRoleRevokePermissionRequest request =
        AuthRoleRevokePermissionRequest.newBuilder().setRole(role).setKey(permission.key()).setRangeEnd(permission.end()).build();
    done("permission is not granted to the role", through, stub -> stub.roleRevokePermission(request));
  }

  @Override
  public void addUser(List<Endpoint> through, String user, String password) throws StoreException {
    AuthUserAddRequest request = AuthUserAddRequest.newBuilder().setName(user).setPassword(password).build();
    done("user name already exists", through, stub -> stub.userAdd(request));
  }

  @Override
  public void giveRole(List<Endpoint> through, String user, String role) throws StoreException {
    AuthUserGrantRoleRequest request = AuthUserGrantRoleRequest.newBuilder().setUser(user).setRole(role).build();
    GrpcStoreAdmin.any(through, endpoint -> call(endpoint, stub -> stub.userGrantRole(request)));
  }

  @Override
  public void takeRole(List<Endpoint> through, String user, String role) throws StoreException {
    AuthUserRevokeRoleRequest request = AuthUserRevokeRoleRequest.newBuilder().setName(user).setRole(role).build();
    done("role is not granted to the user", through, stub -> stub.userRevokeRole(request));
  }

  @Override
  public boolean accepts(List<Endpoint> through, String user, String password) throws StoreException {
    AuthenticateRequest request = AuthenticateRequest.newBuilder().setName(user).setPassword(password).build();
    return GrpcStoreAdmin.any(
        through,
        endpoint -> {
          try {
            return !call(endpoint, stub -> stub.authenticate(request)).getToken().isEmpty();
          } catch (StatusRuntimeException e) {
            if (String.valueOf(e.getStatus().getDescription()).contains("authentication failed, invalid user ID or password")) {
              return false;
            }
            throw e;
          }
        });
  }

  @Override
  public void changePassword(List<Endpoint> through, String user, String password) throws StoreException {
    AuthUserChangePasswordRequest request = AuthUserChangePasswordRequest.newBuilder().setName(user).setPassword(password).build();
    GrpcStoreAdmin.any(through, endpoint -> call(endpoint, stub -> stub.userChangePassword(request)));
  }

  @Override
  public void removeUser(List<Endpoint> through, String user) throws StoreException {
    AuthUserDeleteRequest request = AuthUserDeleteRequest.newBuilder().setName(user).build();
    done("user name not found", through, stub -> stub.userDelete(request));
  }

  @Override
  public void removeRole(List<Endpoint> through, String role) throws StoreException {
    AuthRoleDeleteRequest request = AuthRoleDeleteRequest.newBuilder().setRole(role).build();
    done("role name not found", through, stub -> stub.roleDelete(request));
  }

  private void done(String already, List<Endpoint> through, Function<AuthBlockingStub, ?> what) throws StoreException {
    GrpcStoreAdmin.anyBut(already, through, endpoint -> call(endpoint, what));
  }

  private <T> T call(Endpoint endpoint, Function<AuthBlockingStub, T> what) {
    return store.call(endpoint, AuthGrpc::newBlockingStub, what);
  }
}
