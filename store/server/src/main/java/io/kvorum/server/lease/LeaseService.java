package io.kvorum.server.lease;

import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantResponse;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesResponse;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeResponse;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import java.util.SplittableRandom;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;

/** {@code etcdserverpb.Lease}. Grants and revocations go through the log; renewals and questions about time go to the leader's memory. */
public final class LeaseService extends LeaseGrpc.LeaseImplBase {
  private final Kernel kernel;
  private final Lessor lessor;
  private final LocalLeases local;
  private final LeaseForwarder forwarder;
  private final LeaseRouter router;

  /** Guarded by itself. */
  private final SplittableRandom ids;

  /**
   * @param lessor this member's leases
   * @param local answers while this member leads
   * @param forwarder asks the leader while another does
   * @param timer for retries
   * @param random seeds the choice of ids; asked here and never again
   */
  public LeaseService(
      Kernel kernel, Lessor lessor, LocalLeases local, LeaseForwarder forwarder, ScheduledExecutorService timer, RandomGenerator random) {
    this.kernel = kernel;
    this.lessor = lessor;
    this.local = local;
    this.forwarder = forwarder;
    this.router = new LeaseRouter(kernel, timer, lessor::now);
    this.ids = new SplittableRandom(random.nextLong());
  }

  @Override
  public void leaseGrant(LeaseGrantRequest request, StreamObserver<LeaseGrantResponse> answer) {
    if (request.getTTL() > Lessor.MAX_TTL_SECONDS) {
      answer.onError(EtcdError.LEASE_TTL_TOO_LARGE.exception());
      return;
    }
    LeaseGrantRequest.Builder granted = request.toBuilder().setTTL(Math.max(request.getTTL(), kernel.limits().minLeaseTtlSeconds()));
    if (granted.getID() == 0) {
      granted.setID(freeId());
    }
    kernel
        .proposals()
        .propose(
            LogRequest.newBuilder().setLeaseGrant(granted),
            mapped(
                new Answer<LeaseGrantResponse>(answer),
                applied -> applied.toBuilder().setHeader(header(applied.getHeader())).build()));
  }

  private long freeId() {
    long id;
    do {
      synchronized (ids) {
        id = ids.nextLong() & Long.MAX_VALUE;
      }
    } while (id == 0 || lessor.contains(id));
    return id;
  }

  @Override
  public void leaseRevoke(LeaseRevokeRequest request, StreamObserver<LeaseRevokeResponse> answer) {
    kernel
        .proposals()
        .propose(
            LogRequest.newBuilder().setLeaseRevoke(request),
            mapped(
                new Answer<LeaseRevokeResponse>(answer),
                applied -> applied.toBuilder().setHeader(header(applied.getHeader())).build()));
  }

  /** The header of what apply returned carries the revision; the rest is this member's. */
  private ResponseHeader header(ResponseHeader applied) {
    return applied.getRevision() == 0 ? kernel.header() : kernel.header(applied.getRevision());
  }

  @Override
  public void leaseTimeToLive(LeaseTimeToLiveRequest request, StreamObserver<LeaseTimeToLiveResponse> answer) {
    router.ask(
        completion -> local.timeToLive(request, completion),
        (leader, completion) ->
            forwarder.timeToLive(
                leader, request, mapped(completion, response -> response.toBuilder().setHeader(kernel.header()).build())),
        new Answer<LeaseTimeToLiveResponse>(answer));
  }

  /** Follows etcd: the list is this member's own, ordered by remaining time where that is known. */
  @Override
  public void leaseLeases(LeaseLeasesRequest request, StreamObserver<LeaseLeasesResponse> answer) {
    answer.onNext(local.list());
    answer.onCompleted();
  }

  @Override
  public StreamObserver<LeaseKeepAliveRequest> leaseKeepAlive(StreamObserver<LeaseKeepAliveResponse> answer) {
    return new KeepAliveStream((ServerCallStreamObserver<LeaseKeepAliveResponse>) answer, this::renew);
  }

  private void renew(LeaseKeepAliveRequest request, Completion<LeaseKeepAliveResponse> completion) {
    router.ask(
        done -> local.renew(request, done),
        (leader, done) -> {
          ResponseHeader before = kernel.header();
          forwarder.renew(leader, request, mapped(done, response -> response.toBuilder().setHeader(before).build()));
        },
        completion);
  }

  /** A completion that passes on the answer changed, and failures as they are. */
  private static <A> Completion<A> mapped(Completion<A> completion, UnaryOperator<A> change) {
    return new Completion<A>() {
      @Override
      public void done(A answer) {
        completion.done(change.apply(answer));
      }

      @Override
      public void failed(StatusRuntimeException reason) {
        completion.failed(reason);
      }
    };
  }

  /** Completes a unary call. */
  private record Answer<A>(StreamObserver<A> observer) implements Completion<A> {
    @Override
    public void done(A response) {
      observer.onNext(response);
      observer.onCompleted();
    }

    @Override
    public void failed(StatusRuntimeException reason) {
      observer.onError(reason);
    }
  }
}
