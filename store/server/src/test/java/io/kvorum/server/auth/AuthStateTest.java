package io.kvorum.server.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.authpb.Permission;
import io.kvorum.protocol.authpb.UserAddOptions;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AuthDisableRequest;
import io.kvorum.protocol.etcdserverpb.AuthEnableRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleDeleteRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGetRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGetResponse;
import io.kvorum.protocol.etcdserverpb.AuthRoleGrantPermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleListRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleRevokePermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthStatusRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserChangePasswordRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserDeleteRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGetRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserListRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserRevokeRoleRequest;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.LogRequestHeader;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.server.apply.DirectLog;
import io.kvorum.server.apply.ModelStore;
import io.kvorum.server.base.EtcdError;
import java.util.Base64;
import org.junit.jupiter.api.Test;

/** The rules, through the state machine. */
class AuthStateTest {
  private static final ByteString ZERO = ByteString.copyFrom(new byte[1]);
  private static final String HASH = Base64.getEncoder().encodeToString("hash".getBytes());

  private final DirectLog log = new DirectLog(new ModelStore());

  private static ByteString utf8(String text) {
    return ByteString.copyFromUtf8(text);
  }

  private static LogRequest.Builder request() {
    return LogRequest.newBuilder();
  }

  private long revision() {
    return log.auth.view().revision();
  }

  private LogRequest.Builder by(String user, LogRequest.Builder request) {
    return request.setHeader(LogRequestHeader.newBuilder().setUsername(user).setAuthRevision(revision()));
  }

  private void refused(EtcdError error, LogRequest.Builder request) {
    long before = revision();
    assertThatThrownBy(() -> log.call(request)).hasMessageEndingWith(error.text());
    assertThat(revision()).as("a refusal changes nothing").isEqualTo(before);
  }

  private void bumps(long by, LogRequest.Builder request) {
    long before = revision();
    log.call(request);
    assertThat(revision() - before).as("%s", request).isEqualTo(by);
  }

  private static LogRequest.Builder addUser(String name) {
    return request().setAuthUserAdd(AuthUserAddRequest.newBuilder().setName(name).setHashedPassword(HASH));
  }

  private static LogRequest.Builder addRole(String name) {
    return request().setAuthRoleAdd(AuthRoleAddRequest.newBuilder().setName(name));
  }

  private static LogRequest.Builder grantRole(String user, String role) {
    return request().setAuthUserGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser(user).setRole(role));
  }

  private static LogRequest.Builder revokeRole(String user, String role) {
    return request().setAuthUserRevokeRole(AuthUserRevokeRoleRequest.newBuilder().setName(user).setRole(role));
  }

  private static LogRequest.Builder deleteUser(String name) {
    return request().setAuthUserDelete(AuthUserDeleteRequest.newBuilder().setName(name));
  }

  private static LogRequest.Builder deleteRole(String name) {
    return request().setAuthRoleDelete(AuthRoleDeleteRequest.newBuilder().setRole(name));
  }

  private static LogRequest.Builder enable() {
    return request().setAuthEnable(AuthEnableRequest.getDefaultInstance());
  }

  private static LogRequest.Builder grant(String role, Permission.Type type, String key, ByteString end) {
    Permission permission = Permission.newBuilder().setPermType(type).setKey(utf8(key)).setRangeEnd(end).build();
    return request().setAuthRoleGrantPermission(AuthRoleGrantPermissionRequest.newBuilder().setName(role).setPerm(permission));
  }

  /** Auth on; bob may read [a,c) and [c,e) and write [b,d). */
  private void world() {
    log.call(addUser("root"));
    log.call(addUser("bob"));
    log.call(grantRole("root", "root"));
    log.call(addRole("r"));
    log.call(addRole("w"));
    log.call(grant("r", Permission.Type.READ, "a", utf8("c")));
    log.call(grant("w", Permission.Type.READ, "c", utf8("e")));
    log.call(grant("w", Permission.Type.WRITE, "b", utf8("d")));
    log.call(grantRole("bob", "r"));
    log.call(grantRole("bob", "w"));
    log.call(enable());
  }

  @Test
  void each_change_adds_one_to_the_auth_revision_and_nothing_else_does() {
    assertThat(revision()).isEqualTo(1);
    bumps(1, addUser("root"));
    bumps(1, addUser("bob"));
    bumps(1, addRole("r"));
    bumps(1, grant("r", Permission.Type.READ, "a", utf8("c")));
    bumps(1, grant("r", Permission.Type.READ, "a", utf8("c")));
    bumps(1, grantRole("bob", "r"));
    bumps(0, grantRole("bob", "r"));
    bumps(1, grantRole("root", "root"));
    bumps(1, request().setAuthUserChangePassword(AuthUserChangePasswordRequest.newBuilder().setName("bob").setHashedPassword(HASH)));
    bumps(0, request().setAuthUserGet(AuthUserGetRequest.newBuilder().setName("bob")));
    bumps(0, request().setAuthUserList(AuthUserListRequest.getDefaultInstance()));
    bumps(0, request().setAuthRoleList(AuthRoleListRequest.getDefaultInstance()));
    bumps(0, request().setAuthStatus(AuthStatusRequest.getDefaultInstance()));
    bumps(0, enable());
    bumps(0, by("root", enable()));
    bumps(1, by("root", request().setAuthDisable(AuthDisableRequest.getDefaultInstance())));
    bumps(0, request().setAuthDisable(AuthDisableRequest.getDefaultInstance()));
    bumps(1, revokeRole("bob", "r"));
    bumps(1, deleteRole("r"));
    bumps(1, deleteUser("bob"));
  }

  @Test
  void what_makes_no_sense_is_refused_with_etcds_words() {
    log.call(addUser("bob"));
    log.call(addRole("r"));
    refused(EtcdError.USER_NAME_IS_EMPTY, addUser(""));
    refused(EtcdError.USER_NAME_ALREADY_EXISTS, addUser("bob"));
    refused(EtcdError.NO_PASSWORD_USER, request().setAuthUserAdd(AuthUserAddRequest.newBuilder().setName("x").setHashedPassword("!")));
    refused(EtcdError.USER_NAME_NOT_FOUND, deleteUser("x"));
    refused(EtcdError.USER_NAME_NOT_FOUND, grantRole("x", "r"));
    refused(EtcdError.ROLE_NAME_NOT_FOUND, grantRole("bob", "x"));
    refused(EtcdError.ROLE_IS_NOT_GRANTED_TO_THE_USER, revokeRole("bob", "r"));
    refused(EtcdError.ROLE_NAME_IS_EMPTY, addRole(""));
    refused(EtcdError.ROLE_NAME_ALREADY_EXISTS, addRole("r"));
    refused(EtcdError.ROLE_NAME_NOT_FOUND, deleteRole("root"));
    refused(EtcdError.ROLE_NAME_NOT_FOUND, grant("x", Permission.Type.READ, "a", ByteString.EMPTY));
    refused(EtcdError.PERMISSION_NOT_GIVEN, request().setAuthRoleGrantPermission(AuthRoleGrantPermissionRequest.newBuilder().setName("r")));
    refused(EtcdError.INVALID_AUTH_MANAGEMENT, grant("r", Permission.Type.READ, "", utf8("b")));
    refused(EtcdError.INVALID_AUTH_MANAGEMENT, grant("r", Permission.Type.READ, "b", utf8("a")));
    refused(EtcdError.INVALID_AUTH_MANAGEMENT, grant("r", Permission.Type.READ, "b", utf8("b")));
    log.call(grant("r", Permission.Type.READ, "b", ZERO));
    refused(
        EtcdError.PERMISSION_IS_NOT_GRANTED_TO_THE_ROLE,
        request().setAuthRoleRevokePermission(AuthRoleRevokePermissionRequest.newBuilder().setRole("r").setKey(utf8("b"))));
    refused(EtcdError.ROOT_USER_DOES_NOT_EXIST, enable());
    log.call(addUser("root"));
    refused(EtcdError.ROOT_USER_DOES_NOT_HAVE_ROOT_ROLE, enable());
  }

  @Test
  void the_same_range_is_granted_once_and_the_last_type_counts() {
    log.call(addRole("r"));
    log.call(grant("r", Permission.Type.READ, "b", utf8("c")));
    log.call(grant("r", Permission.Type.READ, "a", ByteString.EMPTY));
    log.call(grant("r", Permission.Type.WRITE, "b", utf8("c")));
    AuthRoleGetResponse role = log.call(request().setAuthRoleGet(AuthRoleGetRequest.newBuilder().setRole("r")));

    assertThat(role.getPermList()).extracting(p -> p.getKey().toStringUtf8() + p.getPermType()).containsExactly("aREAD", "bWRITE");
  }

  @Test
  void permissions_are_sorted_by_key_and_then_as_they_were_granted() {
    log.call(addRole("r"));
    log.call(grant("r", Permission.Type.READ, "b", utf8("d")));
    log.call(grant("r", Permission.Type.READ, "b", utf8("c")));
    log.call(grant("r", Permission.Type.READ, "a", ByteString.EMPTY));
    log.call(grant("r", Permission.Type.WRITE, "b", utf8("d")));
    AuthRoleGetResponse role = log.call(request().setAuthRoleGet(AuthRoleGetRequest.newBuilder().setRole("r")));

    assertThat(role.getPermList()).extracting(p -> p.getKey().toStringUtf8() + p.getRangeEnd().toStringUtf8() + p.getPermType())
        .containsExactly("aREAD", "bdWRITE", "bcREAD");
  }

  @Test
  void the_root_role_shows_that_it_may_do_everything_whatever_was_granted_to_it() {
    log.call(addRole("root"));
    log.call(grant("root", Permission.Type.READ, "b", utf8("c")));
    AuthRoleGetResponse role = log.call(request().setAuthRoleGet(AuthRoleGetRequest.newBuilder().setRole("root")));

    assertThat(role.getPermList())
        .containsExactly(Permission.newBuilder().setPermType(Permission.Type.READWRITE).setRangeEnd(ByteString.copyFrom(new byte[1])).build());
  }

  @Test
  void with_auth_on_root_cannot_be_taken_away() {
    world();
    log.call(by("root", addRole("root")));
    refused(EtcdError.INVALID_AUTH_MANAGEMENT, by("root", deleteUser("root")));
    refused(EtcdError.INVALID_AUTH_MANAGEMENT, by("root", revokeRole("root", "root")));
    refused(EtcdError.INVALID_AUTH_MANAGEMENT, by("root", deleteRole("root")));
  }

  @Test
  void keys_take_the_permission_of_their_range() {
    world();
    log.call(by("bob", put("b", 0, false)));
    log.call(by("bob", put("c", 0, true)));
    refused(EtcdError.PERMISSION_DENIED, by("bob", put("a", 0, false)));
    refused(EtcdError.PERMISSION_DENIED, by("bob", put("d", 0, false)));
    refused(EtcdError.USER_NAME_IS_EMPTY, put("b", 0, false));
    refused(EtcdError.PERMISSION_DENIED, by("nobody", put("b", 0, false)));
    refused(EtcdError.REVISION_OF_AUTH_STORE_IS_OLD, by("bob", put("b", 0, false)).setHeader(LogRequestHeader.newBuilder().setUsername("bob").setAuthRevision(2)));
    log.call(by("root", put("z", 0, true)));
    log.call(by("bob", delete("b", "d", true)));
    refused(EtcdError.PERMISSION_DENIED, by("bob", delete("b", "e", false)));
    refused(EtcdError.PERMISSION_DENIED, by("bob", request().setDeleteRange(DeleteRangeRequest.newBuilder().setKey(utf8("b")).setRangeEnd(ZERO))));
  }

  @Test
  void reading_what_was_overwritten_takes_read_too() {
    world();
    log.call(by("root", addRole("o")));
    log.call(by("root", grant("o", Permission.Type.WRITE, "x", ByteString.EMPTY)));
    log.call(by("root", grantRole("bob", "o")));

    log.call(by("bob", put("x", 0, false)));
    refused(EtcdError.PERMISSION_DENIED, by("bob", put("x", 0, true)));
    refused(EtcdError.PERMISSION_DENIED, by("bob", delete("x", "", true)));
    log.call(by("bob", delete("x", "", false)));
  }

  @Test
  void a_transaction_takes_every_permission_of_both_branches_at_any_depth() {
    world();
    RequestOp allowed = RequestOp.newBuilder().setRequestPut(PutRequest.newBuilder().setKey(utf8("b"))).build();
    RequestOp hidden = RequestOp.newBuilder().setRequestRange(RangeRequest.newBuilder().setKey(utf8("z"))).build();
    RequestOp span = RequestOp.newBuilder().setRequestRange(RangeRequest.newBuilder().setKey(utf8("a")).setRangeEnd(utf8("e"))).build();
    Compare compare = Compare.newBuilder().setKey(utf8("y")).build();
    TxnRequest fine = TxnRequest.newBuilder().addSuccess(allowed).addFailure(span).build();

    log.call(by("bob", request().setTxn(fine)));
    log.call(request().setTxn(TxnRequest.getDefaultInstance()));
    refused(EtcdError.PERMISSION_DENIED, by("bob", request().setTxn(fine.toBuilder().addFailure(hidden))));
    refused(EtcdError.PERMISSION_DENIED, by("bob", request().setTxn(fine.toBuilder().addCompare(compare))));
    RequestOp nested = RequestOp.newBuilder().setRequestTxn(TxnRequest.newBuilder().addFailure(hidden)).build();
    refused(EtcdError.PERMISSION_DENIED, by("bob", request().setTxn(fine.toBuilder().addFailure(nested))));
    refused(EtcdError.USER_NAME_IS_EMPTY, request().setTxn(fine));
  }

  @Test
  void whoever_touches_a_lease_must_be_able_to_write_all_its_keys() {
    world();
    refused(EtcdError.USER_NAME_IS_EMPTY, lease(7));
    log.call(by("bob", lease(7)));
    log.call(by("bob", put("b", 7, false)));
    log.call(by("root", put("z", 7, false)));

    refused(EtcdError.PERMISSION_DENIED, by("bob", put("c", 7, false)));
    RequestOp put = RequestOp.newBuilder().setRequestPut(PutRequest.newBuilder().setKey(utf8("c")).setLease(7)).build();
    refused(EtcdError.PERMISSION_DENIED, by("bob", request().setTxn(TxnRequest.newBuilder().addFailure(put))));
    refused(EtcdError.PERMISSION_DENIED, by("bob", request().setLeaseRevoke(LeaseRevokeRequest.newBuilder().setID(7))));
    refused(EtcdError.USER_NAME_IS_EMPTY, request().setLeaseRevoke(LeaseRevokeRequest.newBuilder().setID(7)));
    log.call(request().setHeader(LogRequestHeader.newBuilder().setOwn(true)).setLeaseRevoke(LeaseRevokeRequest.newBuilder().setID(7)));
  }

  @Test
  void management_takes_the_root_role_and_looking_at_oneself_does_not() {
    world();
    refused(EtcdError.PERMISSION_DENIED, by("bob", addUser("x")));
    refused(EtcdError.USER_NAME_IS_EMPTY, addUser("x"));
    refused(EtcdError.USER_NAME_IS_EMPTY, enable());
    refused(EtcdError.USER_NAME_NOT_FOUND, by("gone", addUser("x")));
    refused(EtcdError.PERMISSION_DENIED, by("bob", request().setAuthStatus(AuthStatusRequest.getDefaultInstance())));
    refused(EtcdError.PERMISSION_DENIED, by("bob", request().setAuthUserChangePassword(AuthUserChangePasswordRequest.newBuilder().setName("bob").setHashedPassword(HASH))));
    refused(EtcdError.PERMISSION_DENIED, by("bob", request().setAuthUserGet(AuthUserGetRequest.newBuilder().setName("root"))));
    log.call(by("bob", request().setAuthUserGet(AuthUserGetRequest.newBuilder().setName("bob"))));
    log.call(by("bob", request().setAuthRoleGet(AuthRoleGetRequest.newBuilder().setRole("r"))));
    refused(EtcdError.PERMISSION_DENIED, by("bob", request().setAuthRoleGet(AuthRoleGetRequest.newBuilder().setRole("x"))));
    refused(EtcdError.PERMISSION_DENIED, by("bob", request().setCompaction(CompactionRequest.newBuilder().setRevision(1))));
    log.call(by("bob", request().setAlarm(AlarmRequest.getDefaultInstance())));
    refused(EtcdError.PERMISSION_DENIED, by("bob", request().setAlarm(AlarmRequest.newBuilder().setAction(AlarmRequest.AlarmAction.ACTIVATE))));
  }

  @Test
  void a_checkpoint_keeps_everything() {
    world();
    log.call(by("root", request().setAuthUserAdd(AuthUserAddRequest.newBuilder().setName("np").setOptions(UserAddOptions.newBuilder().setNoPassword(true)))));
    MachineState.Builder checkpoint = MachineState.newBuilder();
    log.auth.save(checkpoint);
    AuthState restored = new AuthState();
    restored.restore(checkpoint.build());

    assertThat(restored.view().enabled()).isTrue();
    assertThat(restored.view().revision()).isEqualTo(revision());
    assertThat(restored.view().users()).isEqualTo(log.auth.view().users());
    assertThat(restored.view().roles()).isEqualTo(log.auth.view().roles());
    restored.restore(MachineState.getDefaultInstance());
    assertThat(restored.view().enabled()).isFalse();
    assertThat(restored.view().revision()).isEqualTo(1);
  }

  private static LogRequest.Builder put(String key, long lease, boolean previous) {
    return request().setPut(PutRequest.newBuilder().setKey(utf8(key)).setLease(lease).setPrevKv(previous));
  }

  private static LogRequest.Builder delete(String key, String end, boolean previous) {
    return request().setDeleteRange(DeleteRangeRequest.newBuilder().setKey(utf8(key)).setRangeEnd(utf8(end)).setPrevKv(previous));
  }

  private static LogRequest.Builder lease(long id) {
    return request().setLeaseGrant(LeaseGrantRequest.newBuilder().setID(id).setTTL(60));
  }
}
