package io.kvorum.server.base;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/**
 * Every error that a client can see, with etcd's exact code and text (etcd's api/v3rpc/rpctypes). Clients compare the text, so none may be changed. The
 * codes of TOO_MANY_REQUESTS and NOT_ENOUGH_STARTED_MEMBERS are odd on purpose: they are what arrives from etcd.
 */
public enum EtcdError {
  EMPTY_KEY(Status.Code.INVALID_ARGUMENT, "etcdserver: key is not provided"),
  KEY_NOT_FOUND(Status.Code.INVALID_ARGUMENT, "etcdserver: key not found"),
  VALUE_IS_PROVIDED(Status.Code.INVALID_ARGUMENT, "etcdserver: value is provided"),
  LEASE_IS_PROVIDED(Status.Code.INVALID_ARGUMENT, "etcdserver: lease is provided"),
  TOO_MANY_TXN_OPERATIONS(Status.Code.INVALID_ARGUMENT, "etcdserver: too many operations in txn request"),
  DUPLICATE_KEY(Status.Code.INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request"),
  INVALID_CLIENT_API_VERSION(Status.Code.INVALID_ARGUMENT, "etcdserver: invalid client api version"),
  INVALID_SORT_OPTION(Status.Code.INVALID_ARGUMENT, "etcdserver: invalid sort option"),
  BAD_MEMBER_URLS(Status.Code.INVALID_ARGUMENT, "etcdserver: given member URLs are invalid"),
  REQUEST_IS_TOO_LARGE(Status.Code.INVALID_ARGUMENT, "etcdserver: request is too large"),
  USER_NAME_IS_EMPTY(Status.Code.INVALID_ARGUMENT, "etcdserver: user name is empty"),
  ROLE_NAME_IS_EMPTY(Status.Code.INVALID_ARGUMENT, "etcdserver: role name is empty"),
  AUTHENTICATION_FAILED(Status.Code.INVALID_ARGUMENT, "etcdserver: authentication failed, invalid user ID or password"),
  PERMISSION_NOT_GIVEN(Status.Code.INVALID_ARGUMENT, "etcdserver: permission not given"),
  INVALID_AUTH_MANAGEMENT(Status.Code.INVALID_ARGUMENT, "etcdserver: invalid auth management"),
  REVISION_OF_AUTH_STORE_IS_OLD(Status.Code.INVALID_ARGUMENT, "etcdserver: revision of auth store is old"),
  WRONG_DOWNGRADE_VERSION_FORMAT(Status.Code.INVALID_ARGUMENT, "etcdserver: wrong downgrade target version format"),
  INVALID_DOWNGRADE_VERSION(Status.Code.INVALID_ARGUMENT, "etcdserver: invalid downgrade target version"),
  COMPACTED(Status.Code.OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted"),
  FUTURE_REVISION(Status.Code.OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision"),
  LEASE_TTL_TOO_LARGE(Status.Code.OUT_OF_RANGE, "etcdserver: too large lease TTL"),
  NO_SPACE(Status.Code.RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded"),
  LEASE_NOT_FOUND(Status.Code.NOT_FOUND, "etcdserver: requested lease not found"),
  MEMBER_NOT_FOUND(Status.Code.NOT_FOUND, "etcdserver: member not found"),
  LEASE_ALREADY_EXISTS(Status.Code.FAILED_PRECONDITION, "etcdserver: lease already exists"),
  MEMBER_ID_ALREADY_EXIST(Status.Code.FAILED_PRECONDITION, "etcdserver: member ID already exist"),
  PEER_URLS_ALREADY_EXISTS(Status.Code.FAILED_PRECONDITION, "etcdserver: Peer URLs already exists"),
  NOT_A_LEARNER(Status.Code.FAILED_PRECONDITION, "etcdserver: can only promote a learner member"),
  LEARNER_NOT_READY(Status.Code.FAILED_PRECONDITION, "etcdserver: can only promote a learner member which is in sync with leader"),
  TOO_MANY_LEARNERS(Status.Code.FAILED_PRECONDITION, "etcdserver: too many learner members in cluster"),
  CLUSTER_ID_MISMATCH(Status.Code.FAILED_PRECONDITION, "etcdserver: cluster ID mismatch"),
  ROOT_USER_DOES_NOT_EXIST(Status.Code.FAILED_PRECONDITION, "etcdserver: root user does not exist"),
  ROOT_USER_DOES_NOT_HAVE_ROOT_ROLE(Status.Code.FAILED_PRECONDITION, "etcdserver: root user does not have root role"),
  USER_NAME_ALREADY_EXISTS(Status.Code.FAILED_PRECONDITION, "etcdserver: user name already exists"),
  USER_NAME_NOT_FOUND(Status.Code.FAILED_PRECONDITION, "etcdserver: user name not found"),
  ROLE_NAME_ALREADY_EXISTS(Status.Code.FAILED_PRECONDITION, "etcdserver: role name already exists"),
  ROLE_NAME_NOT_FOUND(Status.Code.FAILED_PRECONDITION, "etcdserver: role name not found"),
  ROLE_IS_NOT_GRANTED_TO_THE_USER(Status.Code.FAILED_PRECONDITION, "etcdserver: role is not granted to the user"),
  PERMISSION_IS_NOT_GRANTED_TO_THE_ROLE(Status.Code.FAILED_PRECONDITION, "etcdserver: permission is not granted to the role"),
  AUTHENTICATION_IS_NOT_ENABLED(Status.Code.FAILED_PRECONDITION, "etcdserver: authentication is not enabled"),
  NOT_LEADER(Status.Code.FAILED_PRECONDITION, "etcdserver: not leader"),
  BAD_LEADER_TRANSFEREE(Status.Code.FAILED_PRECONDITION, "etcdserver: bad leader transferee"),
  NOT_CAPABLE(Status.Code.FAILED_PRECONDITION, "etcdserver: not capable"),
  NOT_SUPPORTED_FOR_LEARNER(Status.Code.FAILED_PRECONDITION, "etcdserver: rpc not supported for learner"),
  CLUSTER_VERSION_NOT_FOUND(Status.Code.FAILED_PRECONDITION, "etcdserver: cluster version not found during downgrade"),
  DOWNGRADE_IN_PROGRESS(Status.Code.FAILED_PRECONDITION, "etcdserver: cluster has a downgrade job in progress"),
  NO_INFLIGHT_DOWNGRADE(Status.Code.FAILED_PRECONDITION, "etcdserver: no inflight downgrade job"),
  PERMISSION_DENIED(Status.Code.PERMISSION_DENIED, "etcdserver: permission denied"),
  INVALID_AUTH_TOKEN(Status.Code.UNAUTHENTICATED, "etcdserver: invalid auth token"),
  NO_LEADER(Status.Code.UNAVAILABLE, "etcdserver: no leader"),
  LEADER_CHANGED(Status.Code.UNAVAILABLE, "etcdserver: leader changed"),
  SERVER_STOPPED(Status.Code.UNAVAILABLE, "etcdserver: server stopped"),
  UNHEALTHY_CLUSTER(Status.Code.UNAVAILABLE, "etcdserver: unhealthy cluster"),
  TIMED_OUT(Status.Code.UNAVAILABLE, "etcdserver: request timed out"),
  TIMED_OUT_LEADER_FAILURE(Status.Code.UNAVAILABLE, "etcdserver: request timed out, possibly due to previous leader failure"),
  TIMED_OUT_CONNECTION_LOST(Status.Code.UNAVAILABLE, "etcdserver: request timed out, possibly due to connection lost"),
  TIMED_OUT_WAITING_FOR_APPLIED_INDEX(Status.Code.UNAVAILABLE, "etcdserver: request timed out, waiting for the applied index took too long"),
  CORRUPT_CLUSTER(Status.Code.DATA_LOSS, "etcdserver: corrupt cluster"),
  WATCH_CANCELED(Status.Code.CANCELLED, "etcdserver: watch canceled"),
  TOO_MANY_REQUESTS(Status.Code.UNKNOWN, "etcdserver: too many requests"),
  NOT_ENOUGH_STARTED_MEMBERS(Status.Code.UNKNOWN, "etcdserver: re-configuration failed due to not enough started members"),
  UNKNOWN_METHOD(Status.Code.UNKNOWN, "etcdserver: unknown method"),
  REQUEST_CANCELLED(Status.Code.UNKNOWN, "etcdserver: request cancelled"),
  TIMED_OUT_LEADER_TRANSFER(Status.Code.UNKNOWN, "etcdserver: request timed out, leader transfer took too long"),
  NOT_PRIMARY_LESSOR(Status.Code.UNKNOWN, "not a primary lessor"),
  NO_PASSWORD_USER(Status.Code.UNKNOWN, "auth: authentication failed, password was given for no password user"),
  PASSWORD_TOO_LONG(Status.Code.UNKNOWN, "bcrypt: password length exceeds 72 bytes"),
  TOKENS_VERIFY_ONLY(Status.Code.UNKNOWN, "auth: token signing attempted with verify-only key"),
  DEADLINE_EXCEEDED(Status.Code.DEADLINE_EXCEEDED, "context deadline exceeded");

  private final Status status;

  EtcdError(Status.Code code, String text) {
    this.status = code.toStatus().withDescription(text);
  }

  public Status status() {
    return status;
  }

  /** The full text, prefix included. */
  public String text() {
    return status.getDescription();
  }

  /** Without a stack trace: an expected refusal. */
  public StatusRuntimeException exception() {
    return new RefusedException(status);
  }

  private static final class RefusedException extends StatusRuntimeException {
    private static final long serialVersionUID = 1L;

    RefusedException(Status status) {
      super(status);
    }

    @Override
    public synchronized Throwable fillInStackTrace() {
      return this;
    }
  }
}
