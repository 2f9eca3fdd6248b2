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
  private static final Permission EVERYTHING =
      Permission.newBuilder().setPermType(Permission.Type.READWRITE).setRangeEnd(ByteString.copyFrom(new byte[1])).build();

  private static final Comparator<ByteString> BYTES = ByteString.unsignedLexicographicalComparator();

  /** Ranges that begin with the same key stay in the order in which they were granted, as in etcd. */
  private static final Comparator<Permission> BY_KEY = Comparator.comparing(Permission::getKey, BYTES);

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

  /** What the root role may do does not depend on what was granted to it. */
  private static Step get(AuthView now, AuthRoleGetRequest request, ResponseHeader header) {
    Role role = now.roles().get(request.getRole());
    if (role == null) {
      return Step.refused(EtcdError.ROLE_NAME_NOT_FOUND);
    }
    List<Permission> shown = request.getRole().equals(AuthView.ROOT) ? List.of(EVERYTHING) : role.getKeyPermissionList();
    return Step.same(now, AuthRoleGetResponse.newBuilder().setHeader(header).addAllPerm(shown).build());
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
    int held = heldAt(permissions, permission.getKey(), permission.getRangeEnd());
    if (held >= 0) {
      permissions.set(held, permission);
    } else {
      permissions.add(permission);
      permissions.sort(BY_KEY);
    }
    Role changed = role.toBuilder().clearKeyPermission().addAllKeyPermission(permissions).build();
    return Step.to(now.with(changed), AuthRoleGrantPermissionResponse.newBuilder().setHeader(header).build());
  }

  /** Where this very range is, -1 when it is not there. */
  private static int heldAt(List<Permission> permissions, ByteString key, ByteString end) {
    for (int i = 0; i < permissions.size(); i++) {
      if (permissions.get(i).getKey().equals(key) && permissions.get(i).getRangeEnd().equals(end)) {
        return i;
      }
    }
    return -1;
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
    int held = heldAt(left, request.getKey(), request.getRangeEnd());
    if (held < 0) {
      return Step.refused(EtcdError.PERMISSION_IS_NOT_GRANTED_TO_THE_ROLE);
    }
    left.remove(held);
    Role changed = role.toBuilder().clearKeyPermission().addAllKeyPermission(left).build();
    return Step.to(now.with(changed), AuthRoleRevokePermissionResponse.newBuilder().setHeader(header).build());
  }
}
