package io.kvorum.server.lease;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantResponse;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesResponse;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseStatus;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.StoredAuth;
import io.kvorum.server.auth.Access;
import io.kvorum.server.auth.AuthState;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The service over a real connection. */
class LeaseServiceTest {
  private static final String END = "end of stream";

  private final LeaseRig rig = new LeaseRig();
  private final AuthState auth = new AuthState();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final LocalLeases local = new LocalLeases(rig.lessor, rig.keeper, rig.kernel, timer);
  private final Remote remote = new Remote();
  private Server server;
  private ManagedChannel channel;
  private LeaseGrpc.LeaseBlockingStub leases;

  /** Another member that leads, after some failures. */
  private static final class Remote implements LeaseForwarder {
    final AtomicInteger calls = new AtomicInteger();
    volatile int failures;

    private <A> void answer(long leader, Completion<A> completion, A answer) {
      if (calls.getAndIncrement() < failures) {
        completion.failed(Status.UNAVAILABLE.withDescription("connection refused").asRuntimeException());
      } else if (leader == 9) {
        completion.done(answer);
      }
    }

    private static ResponseHeader foreign() {
      return ResponseHeader.newBuilder().setMemberId(9).setRevision(1_000).build();
    }

    @Override
    public void renew(long leader, LeaseKeepAliveRequest request, Completion<LeaseKeepAliveResponse> completion) {
      answer(leader, completion, LeaseKeepAliveResponse.newBuilder().setHeader(foreign()).setID(request.getID()).setTTL(33).build());
    }

    @Override
    public void timeToLive(long leader, LeaseTimeToLiveRequest request, Completion<LeaseTimeToLiveResponse> completion) {
      answer(leader, completion, LeaseTimeToLiveResponse.newBuilder().setHeader(foreign()).setID(request.getID()).setTTL(22).build());
    }

    @Override
    public void leases(long leader, LeaseLeasesRequest request, Completion<LeaseLeasesResponse> completion) {
      throw new AssertionError("the list is the member's own");
    }
  }

  @BeforeEach
  void start() throws Exception {
    LeaseService service = new LeaseService(rig.kernel, Access.of(auth), rig.lessor, local, remote, timer, new Random(3));
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).directExecutor().addService(service).build().start();
    channel = NettyChannelBuilder.forAddress(InetAddress.getLoopbackAddress().getHostAddress(), server.getPort()).usePlaintext().build();
    leases = LeaseGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    server.shutdownNow();
    timer.shutdownNow();
  }

  private static LeaseGrantRequest grant(long id, long ttl) {
    return LeaseGrantRequest.newBuilder().setID(id).setTTL(ttl).build();
  }

  private void refused(Runnable call, Status.Code code, String text) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            StatusRuntimeException.class,
            e -> {
              assertThat(e.getStatus().getCode()).isEqualTo(code);
              assertThat(e.getStatus().getDescription()).isEqualTo(text);
            });
  }

  @Test
  void grants() {
    rig.lead(2);
    LeaseGrantResponse chosen = leases.leaseGrant(grant(0, 60));
    assertThat(chosen.getID()).isPositive();
    assertThat(chosen.getTTL()).isEqualTo(60);
    assertThat(chosen.getError()).isEmpty();
    assertThat(chosen.getHeader().getClusterId()).isEqualTo(0xc);
    assertThat(chosen.getHeader().getMemberId()).isEqualTo(0xa);
    assertThat(chosen.getHeader().getRaftTerm()).isEqualTo(2);
    assertThat(chosen.getHeader().getRevision()).isEqualTo(1);
    assertThat(leases.leaseGrant(grant(0, 60)).getID()).isNotEqualTo(chosen.getID());
    assertThat(leases.leaseGrant(grant(-7, 0)).getTTL()).isEqualTo(2);
    assertThat(leases.leaseGrant(grant(8, -3)).getTTL()).isEqualTo(2);
    assertThat(leases.leaseGrant(grant(9, 9_000_000_000L)).getTTL()).isEqualTo(9_000_000_000L);
    refused(() -> leases.leaseGrant(grant(8, 60)), Status.Code.FAILED_PRECONDITION, "etcdserver: lease already exists");
    refused(() -> leases.leaseGrant(grant(10, 9_000_000_001L)), Status.Code.OUT_OF_RANGE, "etcdserver: too large lease TTL");
    assertThat(leases.leaseLeases(LeaseLeasesRequest.getDefaultInstance()).getLeasesList())
        .extracting(LeaseStatus::getID)
        .startsWith(-7L, 8L)
        .endsWith(9L)
        .hasSize(5);
  }

  @Test
  void whoIsNoUserIsToldSoAndNothingIsProposed() {
    auth.restore(MachineState.newBuilder().setAuth(StoredAuth.newBuilder().setEnabled(true).setRevision(2).build().toByteString()).build());
    refused(() -> leases.leaseGrant(grant(5, 100)), Status.Code.INVALID_ARGUMENT, "etcdserver: user name is empty");
    assertThat(rig.proposed).isEmpty();
  }

  /** Who asks is decided in apply too, and comes before. */
  @Test
  void aTimeThatIsTooLongIsRefusedWhereTheGrantIsApplied() {
    refused(() -> leases.leaseGrant(grant(5, 9_000_000_001L)), Status.Code.OUT_OF_RANGE, "etcdserver: too large lease TTL");
    assertThat(rig.proposed).hasSize(1);
  }

  @Test
  void revokes() {
    rig.lead(2);
    leases.leaseGrant(grant(5, 60));
    rig.put("a", 5);
    assertThat(leases.leaseRevoke(LeaseRevokeRequest.newBuilder().setID(5).build()).getHeader().getRevision()).isEqualTo(3);
    assertThat(rig.exists("a")).isFalse();
    refused(
        () -> leases.leaseRevoke(LeaseRevokeRequest.newBuilder().setID(5).build()), Status.Code.NOT_FOUND, "etcdserver: requested lease not found");
    refused(() -> leases.leaseRevoke(LeaseRevokeRequest.getDefaultInstance()), Status.Code.NOT_FOUND, "etcdserver: requested lease not found");
  }

  @Test
  void tellsTimeToLive() {
    rig.lead(2);
    leases.leaseGrant(grant(5, 60));
    rig.keeper.check();
    rig.sleep(1);
    LeaseTimeToLiveResponse answer = leases.leaseTimeToLive(LeaseTimeToLiveRequest.newBuilder().setID(5).setKeys(true).build());
    assertThat(answer.getTTL()).isEqualTo(59);
    assertThat(answer.getGrantedTTL()).isEqualTo(60);
    assertThat(answer.getHeader().getRevision()).isEqualTo(1);
    assertThat(leases.leaseTimeToLive(LeaseTimeToLiveRequest.newBuilder().setID(6).build()).getTTL()).isEqualTo(-1);
  }

  private final BlockingQueue<Object> heard = new LinkedBlockingQueue<>();

  private StreamObserver<LeaseKeepAliveRequest> keepAlive() {
    return LeaseGrpc.newStub(channel)
        .leaseKeepAlive(
            new StreamObserver<>() {
              @Override
              public void onNext(LeaseKeepAliveResponse response) {
                heard.add(response);
              }

              @Override
              public void onError(Throwable failure) {
                heard.add(Status.fromThrowable(failure));
              }

              @Override
              public void onCompleted() {
                heard.add(END);
              }
            });
  }

  private Object hear() throws InterruptedException {
    return heard.poll(20, TimeUnit.SECONDS);
  }

  private static LeaseKeepAliveRequest renewal(long id) {
    return LeaseRig.keepAlive(id);
  }

  @Test
  void keepsAliveInOrderAndGoesOnAfterAnUnknownLease() throws Exception {
    rig.lead(2);
    leases.leaseGrant(grant(1, 60));
    leases.leaseGrant(grant(2, 70));
    StreamObserver<LeaseKeepAliveRequest> requests = keepAlive();
    for (int i = 0; i < 300; i++) {
      requests.onNext(renewal(i % 3));
    }
    requests.onCompleted();
    for (int i = 0; i < 300; i++) {
      assertThat(hear())
          .isInstanceOfSatisfying(LeaseKeepAliveResponse.class, r -> assertThat(r.getTTL()).isEqualTo(r.getID() == 0 ? 0 : 50 + 10 * r.getID()))
          .extracting(r -> ((LeaseKeepAliveResponse) r).getID())
          .isEqualTo((long) (i % 3));
    }
    assertThat(hear()).isEqualTo(END);
  }

  @Test
  void aRenewalThatWaitsHoldsBackTheNextAndIsAnsweredBeforeTheEnd() throws Exception {
    rig.lead(2);
    leases.leaseGrant(grant(1, 2));
    leases.leaseGrant(grant(2, 60));
    rig.holdProposals = true;
    rig.pass(2_500);
    StreamObserver<LeaseKeepAliveRequest> requests = keepAlive();
    requests.onNext(renewal(1));
    requests.onNext(renewal(2));
    requests.onCompleted();
    assertThat(heard.poll(200, TimeUnit.MILLISECONDS)).isNull();
    rig.applyNext();
    assertThat(hear()).isInstanceOfSatisfying(LeaseKeepAliveResponse.class, r -> assertThat(r.getTTL()).isZero());
    assertThat(hear()).isInstanceOfSatisfying(LeaseKeepAliveResponse.class, r -> assertThat(r.getTTL()).isEqualTo(60));
    assertThat(hear()).isEqualTo(END);
  }

  @Test
  void aFollowerAsksTheLeaderUntilItAnswers() throws Exception {
    rig.follow(2, 9);
    remote.failures = 3;
    StreamObserver<LeaseKeepAliveRequest> requests = keepAlive();
    requests.onNext(renewal(1));
    assertThat(hear())
        .isInstanceOfSatisfying(
            LeaseKeepAliveResponse.class,
            r -> {
              assertThat(r.getTTL()).isEqualTo(33);
              assertThat(r.getHeader().getMemberId()).isEqualTo(0xa);
              assertThat(r.getHeader().getRevision()).isEqualTo(1);
            });
    assertThat(remote.calls).hasValue(4);
    LeaseTimeToLiveResponse ttl = leases.leaseTimeToLive(LeaseTimeToLiveRequest.newBuilder().setID(1).build());
    assertThat(ttl.getTTL()).isEqualTo(22);
    assertThat(ttl.getHeader().getMemberId()).isEqualTo(0xa);
    requests.onCompleted();
    assertThat(hear()).isEqualTo(END);
  }

  @Test
  void withoutALeaderTheRenewalWaitsForOne() throws Exception {
    rig.follow(2, 0);
    StreamObserver<LeaseKeepAliveRequest> requests = keepAlive();
    requests.onNext(renewal(1));
    assertThat(heard.poll(200, TimeUnit.MILLISECONDS)).isNull();
    rig.follow(3, 9);
    assertThat(hear()).isInstanceOfSatisfying(LeaseKeepAliveResponse.class, r -> assertThat(r.getTTL()).isEqualTo(33));
  }

  @Test
  void withoutALeaderForTheWholeLimitItFails() throws Exception {
    rig.follow(2, 0);
    StreamObserver<LeaseKeepAliveRequest> requests = keepAlive();
    requests.onNext(renewal(1));
    assertThat(heard.poll(200, TimeUnit.MILLISECONDS)).isNull();
    rig.sleep(LeaseRig.LIMITS.requestMillis());
    assertThat(hear())
        .isInstanceOfSatisfying(Status.class, s -> assertThat(s.getDescription()).isEqualTo(EtcdError.NO_LEADER.text()))
        .isInstanceOfSatisfying(Status.class, s -> assertThat(s.getCode()).isEqualTo(Status.Code.UNAVAILABLE));
  }
}
