package io.kvorum.server.lease;

import com.google.protobuf.ByteString;
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
import io.kvorum.server.auth.Access;
import io.kvorum.server.auth.Caller;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;

/** {@code etcdserverpb.Lease}. Grants and revocations go through the log; renewals and questions about time go to the leader's memory. */
public final class LeaseService extends LeaseGrpc.LeaseImplBase {
  private final Kernel kernel;
  private final Access access;
  private final Lessor lessor;
  private final LocalLeases local;
  private final LeaseForwarder forwarder;
  private final LeaseRouter router;

  private final LeaseIds ids;

  /**
   * @param kernel its proposals carry the caller
   * @param access who may do what
   * @param lessor this member's leases
   * @param local answers while this member leads
   * @param forwarder asks the leader while another does
   * @param timer for retries
   * @param random seeds the choice of ids; asked here and never again
   */
  public LeaseService(
      Kernel kernel, Access access, Lessor lessor, LocalLeases local, LeaseForwarder forwarder, ScheduledExecutorService timer, RandomGenerator random) {
    this.kernel = kernel;
    this.access = access;
    this.lessor = lessor;
    this.local = local;
    this.forwarder = forwarder;
    this.router = new LeaseRouter(kernel, timer, lessor::now);
    this.ids = new LeaseIds(lessor, random);
  }

  /** As in etcd only users get as far as an alarm can refuse. */
  @Override
  public void leaseGrant(LeaseGrantRequest request, StreamObserver<LeaseGrantResponse> answer) {
    EtcdError refusal = access.user(access.caller());
    if (refusal != null) {
      answer.onError(refusal.exception());
      return;
    }
    LeaseGrantRequest.Builder granted = request.toBuilder().setTTL(Math.max(request.getTTL(), kernel.limits().minLeaseTtlSeconds()));
    if (granted.getID() == 0) {
      granted.setID(ids.free());
    }
    kernel
        .proposals()
        .propose(
            LogRequest.newBuilder().setLeaseGrant(granted),
            mapped(
                new Answer<LeaseGrantResponse>(answer),
                applied -> applied.toBuilder().setHeader(header(applied.getHeader())).build()));
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
    Caller caller = access.caller();
    EtcdError refusal = access.user(caller);
    if (refusal != null) {
      answer.onError(refusal.exception());
      return;
    }
    router.ask(
        completion -> local.timeToLive(request, completion),
        (leader, completion) ->
            forwarder.timeToLive(
                leader, request, mapped(completion, response -> response.toBuilder().setHeader(kernel.header()).build())),
        readable(caller, new Answer<LeaseTimeToLiveResponse>(answer)));
  }

  /** Keys are shown to those who may read all of them. */
  private Completion<LeaseTimeToLiveResponse> readable(Caller caller, Completion<LeaseTimeToLiveResponse> completion) {
    return new Completion<>() {
      @Override
      public void done(LeaseTimeToLiveResponse answer) {
        EtcdError refusal = access.readAll(caller, answer.getKeysList().stream().map(ByteString::toByteArray).toList());
        if (refusal == null) {
          completion.done(answer);
        } else {
          completion.failed(refusal.exception());
        }
      }

      @Override
      public void failed(StatusRuntimeException reason) {
        completion.failed(reason);
      }
    };
  }

  /** Follows etcd: the list is this member's own, ordered by remaining time where that is known. */
  @Override
  public void leaseLeases(LeaseLeasesRequest request, StreamObserver<LeaseLeasesResponse> answer) {
    Caller caller = access.caller();
    EtcdError refusal = access.admin(caller) == null ? null : mayRead(caller, local.list());
    if (refusal != null) {
      answer.onError(refusal.exception());
      return;
    }
    answer.onNext(local.list());
    answer.onCompleted();
  }

  /** Leases are listed for those who may read every key of every lease. */
  private EtcdError mayRead(Caller caller, LeaseLeasesResponse all) {
    List<byte[]> keys = all.getLeasesList().stream().flatMap(lease -> lessor.keysOf(lease.getID()).stream()).toList();
    return access.readAll(caller, keys);
  }

  @Override
  public StreamObserver<LeaseKeepAliveRequest> leaseKeepAlive(StreamObserver<LeaseKeepAliveResponse> answer) {
    return new KeepAliveStream((ServerCallStreamObserver<LeaseKeepAliveResponse>) answer, this::renew);
  }

  private void renew(LeaseKeepAliveRequest request, Completion<LeaseKeepAliveResponse> completion) {
    EtcdError refusal = access.enabled() ? access.writeAll(access.caller(), lessor.keysOf(request.getID())) : null;
    if (refusal != null) {
      completion.failed(refusal.exception());
      return;
    }
    router.ask(
        done -> local.renew(request, done),
        (leader, done) -> {
          ResponseHeader before = kernel.header();
          forwarder.renew(leader, request, mapped(done, response -> response.toBuilder().setHeader(before).build()));
        },
        completion);
  }

  /** A completion that passes on the answer changed, and failures as they are. */
  static <A> Completion<A> mapped(Completion<A> completion, UnaryOperator<A> change) {
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
  record Answer<A>(StreamObserver<A> observer) implements Completion<A> {
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
