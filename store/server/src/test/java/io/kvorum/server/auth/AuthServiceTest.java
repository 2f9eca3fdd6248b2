package io.kvorum.server.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.AbstractStub;
import io.grpc.stub.MetadataUtils;
import io.kvorum.protocol.authpb.Permission;
import io.kvorum.protocol.authpb.UserAddOptions;
import io.kvorum.protocol.etcdserverpb.AuthDisableRequest;
import io.kvorum.protocol.etcdserverpb.AuthEnableRequest;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthRoleGrantPermissionRequest;
import io.kvorum.protocol.etcdserverpb.AuthStatusRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserChangePasswordRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserDeleteRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleRequest;
import io.kvorum.protocol.etcdserverpb.AuthenticateRequest;
import io.kvorum.protocol.etcdserverpb.ClusterGrpc;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.MemberListRequest;
import io.kvorum.protocol.etcdserverpb.MemberListResponse;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.SnapshotRequest;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.raft.Entry;
import io.kvorum.raft.Membership;
import io.kvorum.raft.Role;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.apply.DirectLog;
import io.kvorum.server.apply.ModelLeases;
import io.kvorum.server.apply.ModelStore;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Limits;
import io.kvorum.server.kv.KvService;
import io.kvorum.server.kv.RevisionWaits;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Log-ins and permissions over gRPC on loopback; a log that applies at once. */
class AuthServiceTest {
  private static final Limits LIMITS = new Limits(1_572_864, 128, 20, 100, 0, 1_000);

  private final AtomicLong clock = new AtomicLong();
  private final AtomicLong applied = new AtomicLong(1_000_000);
  private final SimpleTokens tokens = new SimpleTokens(clock::get, 300, new Random(5), 0);
  private final AuthState state = new AuthState(tokens);
  private final Access access = new Access(state, tokens);
  private final ModelStore store = new ModelStore();
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
  private final DirectLog log = new DirectLog(store, new ModelLeases(), state);
  private Server server;
  private ManagedChannel channel;

  @BeforeEach
  void start() throws IOException {
    RaftStatus status = new RaftStatus(5, Role.LEADER, 3, 5, 10, 10, 10, new Membership(new TreeSet<>(List.of(5L)), new TreeSet<>()), 0, Map.of());
    Kernel kernel = new Kernel(77, 5, store, () -> status, log, this::readable, LIMITS);
    Kernel clients = kernel.with(new ClientProposals(log, access));
    AccessInterceptor interceptor = new AccessInterceptor(access, applied::get, timer, 3_000, false);
    ServerServiceDefinition cluster =
        ServerServiceDefinition.builder(ClusterGrpc.SERVICE_NAME)
            .addMethod(
                ClusterGrpc.getMemberListMethod(),
                io.grpc.stub.ServerCalls.asyncUnaryCall(
                    (MemberListRequest request, io.grpc.stub.StreamObserver<MemberListResponse> answer) -> {
                      answer.onNext(MemberListResponse.getDefaultInstance());
                      answer.onCompleted();
                    }))
            .build();
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .directExecutor()
            .addService(ServerInterceptors.intercept(new KvService(clients, access, new RevisionWaits(timer, timer, 100), timer).bind(), interceptor))
            .addService(ServerInterceptors.intercept(new AuthService(clients, log, access, state, timer, 4), interceptor))
            .addService(ServerInterceptors.intercept(cluster, interceptor))
            .addService(ServerInterceptors.intercept(new MaintenanceGrpc.MaintenanceImplBase() {}, interceptor))
            .build()
            .start();
    channel = NettyChannelBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort())).usePlaintext().build();
    world();
  }

  private void readable(Completion<Void> completion) {
    completion.done(null);
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.shutdownNow();
    timer.shutdownNow();
  }

  private AuthGrpc.AuthBlockingStub auth() {
    return AuthGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  private KVGrpc.KVBlockingStub kv() {
    return KVGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
  }

  private static <S extends AbstractStub<S>> S with(S stub, String key, String value) {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER), value);
    return stub.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers));
  }

  private static <S extends AbstractStub<S>> S with(S stub, String token) {
    return with(stub, "token", token);
  }

  private static ByteString utf8(String text) {
    return ByteString.copyFromUtf8(text);
  }

  /** root; bob, who may read and write [a,c); auth is on. */
  private void world() {
    auth().userAdd(AuthUserAddRequest.newBuilder().setName("root").setPassword("secret-of-root").build());
    auth().userAdd(AuthUserAddRequest.newBuilder().setName("bob").setPassword("secret-of-bob").build());
    auth().userAdd(AuthUserAddRequest.newBuilder().setName("np").setOptions(UserAddOptions.newBuilder().setNoPassword(true)).build());
    auth().roleAdd(AuthRoleAddRequest.newBuilder().setName("r").build());
    Permission permission = Permission.newBuilder().setPermType(Permission.Type.READWRITE).setKey(utf8("a")).setRangeEnd(utf8("c")).build();
    auth().roleGrantPermission(AuthRoleGrantPermissionRequest.newBuilder().setName("r").setPerm(permission).build());
    auth().userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser("bob").setRole("r").build());
    auth().userGrantRole(AuthUserGrantRoleRequest.newBuilder().setUser("root").setRole("root").build());
    refused(EtcdError.AUTHENTICATION_IS_NOT_ENABLED, () -> logIn("bob", "secret-of-bob"));
    auth().authEnable(AuthEnableRequest.getDefaultInstance());
  }

  private String logIn(String user, String password) {
    return auth().authenticate(AuthenticateRequest.newBuilder().setName(user).setPassword(password).build()).getToken();
  }

  private String bob() {
    return logIn("bob", "secret-of-bob");
  }

  private String root() {
    return logIn("root", "secret-of-root");
  }

  private static void refused(EtcdError error, ThrowingCallable call) {
    assertThatThrownBy(call).hasMessage(error.status().getCode() + ": " + error.text());
  }

  private static RangeRequest range(String key) {
    return RangeRequest.newBuilder().setKey(utf8(key)).build();
  }

  private static PutRequest put(String key) {
    return PutRequest.newBuilder().setKey(utf8(key)).setValue(utf8("v")).build();
  }

  @Test
  void a_user_who_logged_in_does_what_it_may_with_any_form_of_the_token() {
    String token = bob();

    assertThat(token).matches("[a-zA-Z]{16}\\.\\d+");
    with(kv(), token).put(put("a"));
    assertThat(with(kv(), "authorization", token).range(range("a")).getCount()).isEqualTo(1);
    assertThat(with(kv(), "authorization", "Bearer " + token).range(range("a").toBuilder().setSerializable(true).build()).getCount()).isEqualTo(1);
    assertThat(with(kv(), token).rangeStream(range("a")).next().getRangeResponse().getCount()).isEqualTo(1);
    refused(EtcdError.PERMISSION_DENIED, () -> with(kv(), token).put(put("c")));
    refused(EtcdError.PERMISSION_DENIED, () -> with(kv(), token).range(range("c")));
    refused(EtcdError.PERMISSION_DENIED, () -> with(kv(), token).range(range("c").toBuilder().setSerializable(true).build()));
    refused(EtcdError.PERMISSION_DENIED, () -> with(kv(), token).rangeStream(range("c")).next());
    TxnRequest read = TxnRequest.newBuilder().addFailure(RequestOp.newBuilder().setRequestRange(range("c"))).build();
    refused(EtcdError.PERMISSION_DENIED, () -> with(kv(), token).txn(read));
  }

  @Test
  void nobody_and_unknown_tokens_are_told_apart() {
    refused(EtcdError.USER_NAME_IS_EMPTY, () -> kv().put(put("a")));
    refused(EtcdError.USER_NAME_IS_EMPTY, () -> kv().range(range("a")));
    refused(EtcdError.USER_NAME_IS_EMPTY, () -> kv().rangeStream(range("a")).next());
    refused(EtcdError.INVALID_AUTH_TOKEN, () -> with(kv(), "bad").put(put("a")));
    refused(EtcdError.INVALID_AUTH_TOKEN, () -> with(kv(), "bad").range(range("a")));
    refused(EtcdError.INVALID_AUTH_TOKEN, () -> with(kv(), "bad").txn(TxnRequest.getDefaultInstance()));
    refused(EtcdError.EMPTY_KEY, () -> kv().range(range("")));
    assertThat(kv().txn(TxnRequest.getDefaultInstance()).getSucceeded()).isTrue();
    refused(EtcdError.USER_NAME_IS_EMPTY, () -> auth().authStatus(AuthStatusRequest.getDefaultInstance()));
    refused(EtcdError.USER_NAME_IS_EMPTY, () -> auth().userAdd(AuthUserAddRequest.newBuilder().setName("x").build()));
  }

  @Test
  void log_ins_fail_with_etcds_words() {
    refused(EtcdError.AUTHENTICATION_FAILED, () -> logIn("bob", "wrong"));
    refused(EtcdError.AUTHENTICATION_FAILED, () -> logIn("nobody", "x"));
    refused(EtcdError.NO_PASSWORD_USER, () -> logIn("np", "x"));
    refused(EtcdError.PASSWORD_TOO_LONG, () -> with(auth(), root()).userAdd(AuthUserAddRequest.newBuilder().setName("x").setPassword("p".repeat(73)).build()));
  }

  @Test
  void a_password_may_be_changed_by_its_hash_alone() {
    AuthUserChangePasswordRequest.Builder change = AuthUserChangePasswordRequest.newBuilder().setName("bob");
    with(auth(), root()).userChangePassword(change.setHashedPassword(new Passwords(4).hash("chosen elsewhere")).build());
    assertThat(logIn("bob", "chosen elsewhere")).isNotEmpty();

    refused(EtcdError.NO_PASSWORD_USER, () -> with(auth(), root()).userChangePassword(change.setHashedPassword("not base64!").build()));
    refused(EtcdError.NO_PASSWORD_USER, () -> with(auth(), root()).userChangePassword(change.setHashedPassword("YQ").build()));
    refused(EtcdError.USER_NAME_IS_EMPTY, () -> auth().userChangePassword(change.build()));
    with(auth(), root()).userChangePassword(change.setHashedPassword("").build());
    refused(EtcdError.AUTHENTICATION_FAILED, () -> logIn("bob", ""));
  }

  @Test
  void no_password_is_ever_in_the_log() throws Exception {
    with(auth(), root()).userChangePassword(AuthUserChangePasswordRequest.newBuilder().setName("bob").setPassword("secret-too").build());
    logIn("bob", "secret-too");

    for (Entry entry : log.entries) {
      assertThat(new String(entry.data(), StandardCharsets.ISO_8859_1)).doesNotContain("secret");
    }
    assertThat(log.entries.stream().map(DirectLog::parsed).filter(LogRequest::hasAuthUserAdd)).hasSize(3);
  }

  @Test
  void tokens_end_with_time_password_user_and_auth() {
    String old = bob();
    clock.addAndGet(TimeUnit.SECONDS.toNanos(300));
    refused(EtcdError.INVALID_AUTH_TOKEN, () -> with(kv(), old).range(range("a")));
    String token = bob();
    with(auth(), root()).userChangePassword(AuthUserChangePasswordRequest.newBuilder().setName("bob").setPassword("secret-too").build());
    refused(EtcdError.INVALID_AUTH_TOKEN, () -> with(kv(), token).range(range("a")));
    String next = logIn("bob", "secret-too");
    with(auth(), root()).userDelete(AuthUserDeleteRequest.newBuilder().setName("bob").build());
    refused(EtcdError.INVALID_AUTH_TOKEN, () -> with(kv(), next).range(range("a")));
    String root = root();
    with(auth(), root).authDisable(AuthDisableRequest.getDefaultInstance());
    with(kv(), "anything").put(put("z"));
    auth().authEnable(AuthEnableRequest.getDefaultInstance());
    refused(EtcdError.INVALID_AUTH_TOKEN, () -> with(kv(), root).range(range("a")));
  }

  @Test
  void a_token_waits_until_its_log_in_is_applied_here() throws Exception {
    String token = bob();
    long index = tokens.knownFrom(token);
    applied.set(index - 1);
    var reading = KVGrpc.newFutureStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
    var answer = with(reading, token).range(range("a"));

    assertThatThrownBy(() -> answer.get(100, TimeUnit.MILLISECONDS)).isInstanceOf(java.util.concurrent.TimeoutException.class);
    applied.set(index);
    assertThat(answer.get(30, TimeUnit.SECONDS).getCount()).isZero();
  }

  @Test
  void what_no_service_looks_at_more_closely_takes_the_root_role() {
    String token = bob();
    String root = root();
    ClusterGrpc.ClusterBlockingStub cluster = ClusterGrpc.newBlockingStub(channel);
    MaintenanceGrpc.MaintenanceBlockingStub maintenance = MaintenanceGrpc.newBlockingStub(channel);
    SnapshotRequest snapshot = SnapshotRequest.getDefaultInstance();

    refused(EtcdError.USER_NAME_IS_EMPTY, () -> cluster.memberList(MemberListRequest.getDefaultInstance()));
    refused(EtcdError.INVALID_AUTH_TOKEN, () -> with(cluster, "bad").memberList(MemberListRequest.getDefaultInstance()));
    with(cluster, token).memberList(MemberListRequest.getDefaultInstance());
    refused(EtcdError.USER_NAME_IS_EMPTY, () -> maintenance.snapshot(snapshot).next());
    refused(EtcdError.PERMISSION_DENIED, () -> with(maintenance, token).snapshot(snapshot).next());
    assertThatThrownBy(() -> with(maintenance, root).snapshot(snapshot).next()).hasMessageStartingWith("UNIMPLEMENTED");
  }

  @Test
  void watching_takes_read_on_the_whole_range() {
    ByteString zero = ByteString.copyFrom(new byte[1]);
    Caller bob = Caller.of("bob", state.view().revision());

    assertThat(access.watch(WatchCreateRequest.newBuilder().setKey(utf8("a")).build()).getDescription()).isEqualTo(EtcdError.USER_NAME_IS_EMPTY.text());
    assertThat(access.read(bob, utf8("a"), utf8("c"))).isNull();
    assertThat(access.read(bob, utf8("a"), zero)).isEqualTo(EtcdError.PERMISSION_DENIED);
    assertThat(access.read(Caller.of("root", bob.revision()), zero, zero)).isNull();
  }

  @Test
  void the_common_name_of_a_subject_is_found() {
    assertThat(AccessInterceptor.commonName("CN=bob,O=x")).isEqualTo("bob");
    assertThat(AccessInterceptor.commonName("O=x,OU=y")).isNull();
  }
}
