package io.kvorum.server.auth;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.authpb.User;
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
import io.kvorum.protocol.etcdserverpb.AuthUserListResponse;
import io.kvorum.protocol.etcdserverpb.AuthUserRevokeRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserRevokeRoleResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.EtcdError;
import java.util.Base64;
import java.util.TreeSet;

/** The rules of everything about users. */
final class UserChanges {
  private static final int BASE64_GROUP = 4;

  /** Null when the request is about something else. */
  Step apply(AuthView now, LogRequest request, ResponseHeader header) {
    if (request.hasAuthUserAdd()) {
      return add(now, request.getAuthUserAdd(), header);
    }
    if (request.hasAuthUserDelete()) {
      return delete(now, request.getAuthUserDelete(), header);
    }
    if (request.hasAuthUserChangePassword()) {
      return changePassword(now, request.getAuthUserChangePassword(), header);
    }
    if (request.hasAuthUserGrantRole()) {
      return grant(now, request.getAuthUserGrantRole(), header);
    }
    if (request.hasAuthUserRevokeRole()) {
      return revoke(now, request.getAuthUserRevokeRole(), header);
    }
    if (request.hasAuthUserGet()) {
      return get(now, request.getAuthUserGet(), header);
    }
    if (request.hasAuthUserList()) {
      return Step.same(now, AuthUserListResponse.newBuilder().setHeader(header).addAllUsers(now.users().keySet()).build());
    }
    return null;
  }

  private static Step add(AuthView now, AuthUserAddRequest request, ResponseHeader header) {
    if (request.getName().isEmpty()) {
      return Step.refused(EtcdError.USER_NAME_IS_EMPTY);
    }
    if (now.users().containsKey(request.getName())) {
      return Step.refused(EtcdError.USER_NAME_ALREADY_EXISTS);
    }
    User.Builder user = User.newBuilder().setName(ByteString.copyFromUtf8(request.getName())).setOptions(request.getOptions());
    if (!request.getOptions().getNoPassword()) {
      ByteString hash = decoded(request.getHashedPassword());
      if (hash == null) {
        return Step.refused(EtcdError.NO_PASSWORD_USER);
      }
      user.setPassword(hash);
    }
    return Step.to(now.with(user.build()), AuthUserAddResponse.newBuilder().setHeader(header).build());
  }

  private static Step delete(AuthView now, AuthUserDeleteRequest request, ResponseHeader header) {
    String name = request.getName();
    if (now.enabled() && name.equals(AuthView.ROOT)) {
      return Step.refused(EtcdError.INVALID_AUTH_MANAGEMENT);
    }
    if (!now.users().containsKey(name)) {
      return Step.refused(EtcdError.USER_NAME_NOT_FOUND);
    }
    return Step.to(now.withoutUser(name), AuthUserDeleteResponse.newBuilder().setHeader(header).build()).endingTokensOf(name);
  }

  private static Step changePassword(AuthView now, AuthUserChangePasswordRequest request, ResponseHeader header) {
    User user = now.users().get(request.getName());
    if (user == null) {
      return Step.refused(EtcdError.USER_NAME_NOT_FOUND);
    }
    User.Builder changed = user.toBuilder();
    if (!user.getOptions().getNoPassword()) {
      ByteString hash = decoded(request.getHashedPassword());
      if (hash == null) {
        return Step.refused(EtcdError.NO_PASSWORD_USER);
      }
      changed.setPassword(hash);
    }
    AuthUserChangePasswordResponse answer = AuthUserChangePasswordResponse.newBuilder().setHeader(header).build();
    return Step.to(now.with(changed.build()), answer).endingTokensOf(request.getName());
  }

  /** Null when it is not base64 with its padding. */
  private static ByteString decoded(String hashedPassword) {
    if (hashedPassword.length() % BASE64_GROUP != 0) {
      return null;
    }
    try {
      return ByteString.copyFrom(Base64.getDecoder().decode(hashedPassword));
    } catch (IllegalArgumentException broken) {
      return null;
    }
  }

  /** The role root is there without having been created. */
  private static Step grant(AuthView now, AuthUserGrantRoleRequest request, ResponseHeader header) {
    User user = now.users().get(request.getUser());
    if (user == null) {
      return Step.refused(EtcdError.USER_NAME_NOT_FOUND);
    }
    if (!request.getRole().equals(AuthView.ROOT) && !now.roles().containsKey(request.getRole())) {
      return Step.refused(EtcdError.ROLE_NAME_NOT_FOUND);
    }
    AuthUserGrantRoleResponse answer = AuthUserGrantRoleResponse.newBuilder().setHeader(header).build();
    TreeSet<String> held = new TreeSet<>(user.getRolesList());
    return held.add(request.getRole()) ? Step.to(now.with(user.toBuilder().clearRoles().addAllRoles(held).build()), answer) : Step.same(now, answer);
  }

  private static Step revoke(AuthView now, AuthUserRevokeRoleRequest request, ResponseHeader header) {
    if (now.enabled() && request.getName().equals(AuthView.ROOT) && request.getRole().equals(AuthView.ROOT)) {
      return Step.refused(EtcdError.INVALID_AUTH_MANAGEMENT);
    }
    User user = now.users().get(request.getName());
    if (user == null) {
      return Step.refused(EtcdError.USER_NAME_NOT_FOUND);
    }
    if (!user.getRolesList().contains(request.getRole())) {
      return Step.refused(EtcdError.ROLE_IS_NOT_GRANTED_TO_THE_USER);
    }
    return Step.to(now.with(AuthView.withoutRole(user, request.getRole())), AuthUserRevokeRoleResponse.newBuilder().setHeader(header).build());
  }

  private static Step get(AuthView now, AuthUserGetRequest request, ResponseHeader header) {
    User user = now.users().get(request.getName());
    if (user == null) {
      return Step.refused(EtcdError.USER_NAME_NOT_FOUND);
    }
    return Step.same(now, AuthUserGetResponse.newBuilder().setHeader(header).addAllRoles(user.getRolesList()).build());
  }
}
