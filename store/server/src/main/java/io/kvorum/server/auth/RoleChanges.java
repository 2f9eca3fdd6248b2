package io.kvorum.server.auth;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.authpb.Permission;
import io.kvorum.protocol.authpb.Role;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddResponse;
import io.kvorum.protocol.etcdserverpb.AuthRoleDeleteRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleDeleteResponse;
import io.kvorum.protocol.etcdserverpb.AuthRoleGetRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGetResponse;
import io.kvorum.protocol.etcdserverpb.AuthRoleGrantPermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGrantPermissionResponse;
import io.kvorum.protocol.etcdserverpb.AuthRoleListResponse;
import io.kvorum.protocol.etcdserverpb.AuthRoleRevokePermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleRevokePermissionResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.EtcdError;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** The rules of everything about roles. */
final class RoleChanges {
  private static final Comparator<ByteString> BYTES = ByteString.unsignedLexicographicalComparator();
  private static final Comparator<Permission> ORDER =
      Comparator.comparing(Permission::getKey, BYTES).thenComparing(Permission::getRangeEnd, BYTES);

  Step apply(AuthView now, LogRequest request, ResponseHeader header) {
    if (request.hasAuthRoleAdd()) {
      return add(now, request.getAuthRoleAdd(), header);
    }
    if (request.hasAuthRoleDelete()) {
      return delete(now, request.getAuthRoleDelete(), header);
    }
    if (request.hasAuthRoleGet()) {
      return get(now, request.getAuthRoleGet(), header);
    }
    if (request.hasAuthRoleList()) {
      return Step.same(now, AuthRoleListResponse.newBuilder().setHeader(header).addAllRoles(now.roles().keySet()).build());
    }
    return request.hasAuthRoleGrantPermission()
        ? grant(now, request.getAuthRoleGrantPermission(), header)
        : revoke(now, request.getAuthRoleRevokePermission(), header);
  }

  private static Step add(AuthView now, AuthRoleAddRequest request, ResponseHeader header) {
    if (request.getName().isEmpty()) {
      return Step.refused(EtcdError.ROLE_NAME_IS_EMPTY);
    }
    if (now.roles().containsKey(request.getName())) {
      return Step.refused(EtcdError.ROLE_NAME_ALREADY_EXISTS);
    }
    Role role = Role.newBuilder().setName(ByteString.copyFromUtf8(request.getName())).build();
    return Step.to(now.with(role), AuthRoleAddResponse.newBuilder().setHeader(header).build());
  }

  private static Step delete(AuthView now, AuthRoleDeleteRequest request, ResponseHeader header) {
    if (now.enabled() && request.getRole().equals(AuthView.ROOT)) {
      return Step.refused(EtcdError.INVALID_AUTH_MANAGEMENT);
    }
    if (!now.roles().containsKey(request.getRole())) {
      return Step.refused(EtcdError.ROLE_NAME_NOT_FOUND);
    }
    return Step.to(now.withoutRole(request.getRole()), AuthRoleDeleteResponse.newBuilder().setHeader(header).build());
  }

  private static Step get(AuthView now, AuthRoleGetRequest request, ResponseHeader header) {
    Role role = now.roles().get(request.getRole());
    if (role == null) {
      return Step.refused(EtcdError.ROLE_NAME_NOT_FOUND);
    }
    return Step.same(now, AuthRoleGetResponse.newBuilder().setHeader(header).addAllPerm(role.getKeyPermissionList()).build());
  }

  /** Granting what is granted already counts as a change, as in etcd. */
  private static Step grant(AuthView now, AuthRoleGrantPermissionRequest request, ResponseHeader header) {
    if (!request.hasPerm()) {
      return Step.refused(EtcdError.PERMISSION_NOT_GIVEN);
    }
    Permission permission = request.getPerm();
    if (!isRange(permission.getKey(), permission.getRangeEnd())) {
      return Step.refused(EtcdError.INVALID_AUTH_MANAGEMENT);
    }
    Role role = now.roles().get(request.getName());
    if (role == null) {
      return Step.refused(EtcdError.ROLE_NAME_NOT_FOUND);
    }
    List<Permission> permissions = new ArrayList<>(role.getKeyPermissionList());
    permissions.removeIf(held -> ORDER.compare(held, permission) == 0);
    permissions.add(permission);
    permissions.sort(ORDER);
    Role changed = role.toBuilder().clearKeyPermission().addAllKeyPermission(permissions).build();
    return Step.to(now.with(changed), AuthRoleGrantPermissionResponse.newBuilder().setHeader(header).build());
  }

  private static boolean isRange(ByteString key, ByteString end) {
    if (key.isEmpty()) {
      return false;
    }
    boolean toTheEnd = end.size() == 1 && end.byteAt(0) == 0;
    return end.isEmpty() || toTheEnd || BYTES.compare(key, end) < 0;
  }

  private static Step revoke(AuthView now, AuthRoleRevokePermissionRequest request, ResponseHeader header) {
    Role role = now.roles().get(request.getRole());
    if (role == null) {
      return Step.refused(EtcdError.ROLE_NAME_NOT_FOUND);
    }
    List<Permission> left = new ArrayList<>(role.getKeyPermissionList());
    if (!left.removeIf(held -> held.getKey().equals(request.getKey()) && held.getRangeEnd().equals(request.getRangeEnd()))) {
      return Step.refused(EtcdError.PERMISSION_IS_NOT_GRANTED_TO_THE_ROLE);
    }
    Role changed = role.toBuilder().clearKeyPermission().addAllKeyPermission(left).build();
    return Step.to(now.with(changed), AuthRoleRevokePermissionResponse.newBuilder().setHeader(header).build());
  }
}
