package io.kvorum.operator.store;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.AbstractBlockingStub;
import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.etcdserverpb.AuthDisableRequest;
import io.kvorum.protocol.etcdserverpb.AuthEnableRequest;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.AuthRoleAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthStatusRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserAddRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserChangePasswordRequest;
import io.kvorum.protocol.etcdserverpb.AuthUserGrantRoleRequest;
import io.kvorum.protocol.etcdserverpb.ClusterGrpc;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.DefragmentRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.Member;
import io.kvorum.protocol.etcdserverpb.MemberAddRequest;
import io.kvorum.protocol.etcdserverpb.MemberListRequest;
import io.kvorum.protocol.etcdserverpb.MemberPromoteRequest;
import io.kvorum.protocol.etcdserverpb.MemberRemoveRequest;
import io.kvorum.protocol.etcdserverpb.MoveLeaderRequest;
import io.kvorum.protocol.v1.AdminGrpc;
import io.kvorum.protocol.v1.ReloadRequest;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;

/** {@link StoreAdmin} over gRPC: etcd's API where it has the call, kvorum.v1.Admin where it has not. Safe for several threads. */
public final class GrpcStoreAdmin implements StoreAdmin, AutoCloseable {
  private static final Duration DEFRAGMENT_LIMIT = Duration.ofMinutes(10);
  private static final String ROOT = "root";

  private final Supplier<StoreAccess> access;
  private final Channels channels = new Channels();
  /** By URL: a member of a cluster that was restored would wait for the log index of a token that it never gave. */
  private final Map<String, Login> logins = new ConcurrentHashMap<>();

  private volatile List<Endpoint> observed = List.of();
  private final StoreObserver observer;
  private final DataComparisons comparisons;

  /**
   * @param access asked for each call, so that rotated files and passwords count at once
   * @param clock the time of the answers
   */
  public GrpcStoreAdmin(Supplier<StoreAccess> access, Clock clock) {
    this.access = access;
    this.observer = new StoreObserver(this, clock);
    this.comparisons = new DataComparisons(this, clock);
  }

  @Override
  public StoreState observe(List<Endpoint> members) {
    keepOnly(members);
    return observer.observe(members).withComparison(comparisons.last());
  }

  /** Forgets the connections and tokens of all members but these. */
  public void keepOnly(List<Endpoint> members) {
    observed = List.copyOf(members);
    channels.keepOnly(members);
    logins.keySet().retainAll(members.stream().map(Endpoint::clientUrl).toList());
  }

  @Override
  public long addLearner(List<Endpoint> through, String peerUrl) throws StoreException {
    for (Member member : any(through, this::members)) {
      if (member.getPeerURLsList().contains(peerUrl)) {
        return member.getID();
      }
    }
    MemberAddRequest request = MemberAddRequest.newBuilder().addPeerURLs(peerUrl).setIsLearner(true).build();
    return any(through, endpoint -> call(endpoint, ClusterGrpc::newBlockingStub, stub -> stub.memberAdd(request).getMember().getID()));
  }

  @Override
  public void promote(List<Endpoint> through, long memberId) throws StoreException {
    MemberPromoteRequest request = MemberPromoteRequest.newBuilder().setID(memberId).build();
    anyBut(
        "can only promote a learner member", through, endpoint -> call(endpoint, ClusterGrpc::newBlockingStub, stub -> stub.memberPromote(request)));
  }

  @Override
  public void removeMember(List<Endpoint> through, long memberId) throws StoreException {
    MemberRemoveRequest request = MemberRemoveRequest.newBuilder().setID(memberId).build();
    anyBut("member not found", through, endpoint -> call(endpoint, ClusterGrpc::newBlockingStub, stub -> stub.memberRemove(request)));
  }

  @Override
  public void moveLeader(Endpoint leader, long to) throws StoreException {
    MoveLeaderRequest request = MoveLeaderRequest.newBuilder().setTargetID(to).build();
    any(List.of(leader), endpoint -> call(endpoint, MaintenanceGrpc::newBlockingStub, stub -> stub.moveLeader(request)));
  }

  @Override
  public void compact(List<Endpoint> through, long revision) throws StoreException {
    CompactionRequest request = CompactionRequest.newBuilder().setRevision(revision).build();
    anyBut("has been compacted", through, endpoint -> call(endpoint, KVGrpc::newBlockingStub, stub -> stub.compact(request)));
  }

  @Override
  public void defragment(Endpoint member) throws StoreException {
    any(
        List.of(member),
        endpoint ->
            call(endpoint, MaintenanceGrpc::newBlockingStub, DEFRAGMENT_LIMIT, stub -> stub.defragment(DefragmentRequest.getDefaultInstance())));
  }

  @Override
  public void disarm(List<Endpoint> through, ActiveAlarm alarm) throws StoreException {
    AlarmRequest request =
        AlarmRequest.newBuilder()
            .setAction(AlarmRequest.AlarmAction.DEACTIVATE)
            .setMemberID(alarm.memberId())
            .setAlarm(AlarmType.valueOf(alarm.kind().name()))
            .build();
    any(through, endpoint -> call(endpoint, MaintenanceGrpc::newBlockingStub, stub -> stub.alarm(request)));
  }

  @Override
  public void reload(Endpoint member) throws StoreException {
    any(List.of(member), endpoint -> call(endpoint, AdminGrpc::newBlockingStub, stub -> stub.reload(ReloadRequest.getDefaultInstance())));
  }

  @Override
  public void enableAuth(List<Endpoint> through, String password) throws StoreException {
    boolean enabled =
        any(
            through,
            endpoint -> call(endpoint, AuthGrpc::newBlockingStub, stub -> stub.authStatus(AuthStatusRequest.getDefaultInstance()).getEnabled()));
    if (enabled) {
      return;
    }
    AuthUserAddRequest user = AuthUserAddRequest.newBuilder().setName(ROOT).setPassword(password).build();
    AuthRoleAddRequest role = AuthRoleAddRequest.newBuilder().setName(ROOT).build();
    AuthUserGrantRoleRequest grant = AuthUserGrantRoleRequest.newBuilder().setUser(ROOT).setRole(ROOT).build();
    anyBut("user name already exists", through, endpoint -> call(endpoint, AuthGrpc::newBlockingStub, stub -> stub.userAdd(user)));
    // Root may be left from when authentication was on before, with the password of then.
    AuthUserChangePasswordRequest change = AuthUserChangePasswordRequest.newBuilder().setName(ROOT).setPassword(password).build();
    any(through, endpoint -> call(endpoint, AuthGrpc::newBlockingStub, stub -> stub.userChangePassword(change)));
    anyBut("role name already exists", through, endpoint -> call(endpoint, AuthGrpc::newBlockingStub, stub -> stub.roleAdd(role)));
    any(through, endpoint -> call(endpoint, AuthGrpc::newBlockingStub, stub -> stub.userGrantRole(grant)));
    any(through, endpoint -> call(endpoint, AuthGrpc::newBlockingStub, stub -> stub.authEnable(AuthEnableRequest.getDefaultInstance())));
  }

  @Override
  public void disableAuth(List<Endpoint> through) throws StoreException {
    any(through, endpoint -> call(endpoint, AuthGrpc::newBlockingStub, stub -> stub.authDisable(AuthDisableRequest.getDefaultInstance())));
  }

  @Override
  public void compareData(List<Endpoint> members, long revision) {
    comparisons.begin(members, revision);
  }

  @Override
  public void close() {
    comparisons.close();
    channels.close();
  }

  /** The linearizable member list, asked of one member. */
  List<Member> members(Endpoint endpoint) {
    MemberListRequest request = MemberListRequest.newBuilder().setLinearizable(true).build();
    return call(endpoint, ClusterGrpc::newBlockingStub, stub -> stub.memberList(request).getMembersList());
  }

  /** One bounded call, with the operator's credentials, and once more when they were not taken. */
  <S extends AbstractBlockingStub<S>, T> T call(Endpoint endpoint, Function<ManagedChannel, S> stub, Function<S, T> what) {
    return call(endpoint, stub, TIMEOUT, what);
  }

  /** As above with a bound of its own. */
  <S extends AbstractBlockingStub<S>, T> T call(Endpoint endpoint, Function<ManagedChannel, S> stub, Duration limit, Function<S, T> what) {
    StoreAccess now = access.get();
    ManagedChannel channel = channels.to(endpoint, now);
    Login login = logins.computeIfAbsent(endpoint.clientUrl(), url -> new Login());
    try {
      return what.apply(prepared(stub.apply(channel), login, limit));
    } catch (StatusRuntimeException e) {
      if (now.login().isEmpty() || !Login.asksForToken(e.getStatus())) {
        throw e;
      }
      if (!login.renew(AuthGrpc.newBlockingStub(channel), now.login().get())) {
        renewThroughVoter(login, endpoint, now);
      }
      return what.apply(prepared(stub.apply(channel), login, limit));
    }
  }

  /** A token for a learner, from the first of the others that gives one. */
  private void renewThroughVoter(Login login, Endpoint learner, StoreAccess now) {
    for (Endpoint other : observed) {
      if (!other.equals(learner) && login.renew(AuthGrpc.newBlockingStub(channels.to(other, now)), now.login().get()) && login.hasToken()) {
        return;
      }
    }
  }

  private static <S extends AbstractBlockingStub<S>> S prepared(S stub, Login login, Duration limit) {
    return stub.withDeadlineAfter(limit.toMillis(), TimeUnit.MILLISECONDS).withCallCredentials(login.credentials());
  }

  /** Asks one member after the other until one answers for good, at most three. */
  static <T> T any(List<Endpoint> through, Function<Endpoint, T> what) throws StoreException {
    StoreException last = new StoreException(StoreException.Reason.UNAVAILABLE, "no member to ask");
    for (Endpoint endpoint : through.subList(0, Math.min(3, through.size()))) {
      try {
        return what.apply(endpoint);
      } catch (StatusRuntimeException e) {
        last = new StoreException(reason(e.getStatus()), endpoint.member() + ": " + e.getStatus().getDescription());
        if (last.reason() != StoreException.Reason.UNAVAILABLE) {
          throw last;
        }
      }
    }
    throw last;
  }

  /** As {@link #any}; a refusal with this text means that it is done already. */
  static void anyBut(String done, List<Endpoint> through, Function<Endpoint, ?> what) throws StoreException {
    try {
      any(through, what);
    } catch (StoreException e) {
      if (!e.getMessage().contains(done)) {
        throw e;
      }
    }
  }

  private static StoreException.Reason reason(Status status) {
    String message = status.getDescription() == null ? "" : status.getDescription();
    return switch (status.getCode()) {
      case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, UNKNOWN, INTERNAL ->
          message.contains("unhealthy cluster") || message.contains("too many learner")
              ? StoreException.Reason.NOT_READY
              : StoreException.Reason.UNAVAILABLE;
      case FAILED_PRECONDITION ->
          message.contains("in sync") || message.contains("not enough started") || message.contains("too many learner")
              ? StoreException.Reason.NOT_READY
              : StoreException.Reason.REFUSED;
      case RESOURCE_EXHAUSTED -> StoreException.Reason.NOT_READY;
      default -> StoreException.Reason.REFUSED;
    };
  }
}
