package io.kvorum.server.apply;

import io.kvorum.protocol.internal.LogRequest;

/** What a log entry asks for. */
public enum RequestKind {
  PUT,
  TXN,
  DELETE_RANGE,
  COMPACTION,
  LEASE_GRANT,
  LEASE_REVOKE,
  LEASE_CHECKPOINT,
  /** A lease and a key under it. */
  PUT_WITH_LEASE,
  ALARM,
  CLUSTER_VERSION_SET,
  MEMBER_ATTRIBUTES_SET,
  DOWNGRADE_SET,
  FEATURE_LEVEL_SET,
  /** Anything about users, roles and log-ins. */
  AUTH,
  /** Nothing that this software knows. */
  UNKNOWN;

  /** The kind of a request; the most frequent ones are looked for first. */
  static RequestKind of(LogRequest request) {
    // A newer member's request arrives as an unknown field; so does a known one with an extension that must not be ignored.
    if (!request.getUnknownFields().asMap().isEmpty()) {
      return UNKNOWN;
    }
    if (request.hasPut()) {
      return PUT;
    }
    if (request.hasTxn()) {
      return TXN;
    }
    if (request.hasDeleteRange()) {
      return DELETE_RANGE;
    }
    if (request.hasLeaseGrant()) {
      return LEASE_GRANT;
    }
    if (request.hasLeaseRevoke()) {
      return LEASE_REVOKE;
    }
    if (request.hasPutWithLease()) {
      return PUT_WITH_LEASE;
    }
    return ofRare(request);
  }

  private static RequestKind ofRare(LogRequest request) {
    if (request.hasLeaseCheckpoint()) {
      return LEASE_CHECKPOINT;
    }
    if (request.hasCompaction()) {
      return COMPACTION;
    }
    if (request.hasAlarm()) {
      return ALARM;
    }
    if (request.hasClusterMemberAttrSet()) {
      return MEMBER_ATTRIBUTES_SET;
    }
    if (request.hasClusterVersionSet()) {
      return CLUSTER_VERSION_SET;
    }
    if (request.hasDowngradeInfoSet()) {
      return DOWNGRADE_SET;
    }
    if (request.hasFeatureLevelSet()) {
      return FEATURE_LEVEL_SET;
    }
    return isAuth(request) ? AUTH : UNKNOWN;
  }

  private static boolean isAuth(LogRequest request) {
    return request.hasAuthenticate()
        || request.hasAuthEnable()
        || request.hasAuthDisable()
        || request.hasAuthStatus()
        || request.hasAuthUserAdd()
        || request.hasAuthUserDelete()
        || request.hasAuthUserGet()
        || request.hasAuthUserList()
        || request.hasAuthUserChangePassword()
        || request.hasAuthUserGrantRole()
        || request.hasAuthUserRevokeRole()
        || request.hasAuthRoleAdd()
        || request.hasAuthRoleDelete()
        || request.hasAuthRoleGet()
        || request.hasAuthRoleList()
        || request.hasAuthRoleGrantPermission()
        || request.hasAuthRoleRevokePermission();
  }
}
