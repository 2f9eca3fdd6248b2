package io.kvorum.server.peer;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesResponse;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveResponse;
import io.kvorum.protocol.etcdserverpb.MemberPromoteRequest;
import io.kvorum.protocol.etcdserverpb.MemberPromoteResponse;
import io.kvorum.protocol.internal.KeepLogRequest;
import io.kvorum.protocol.internal.PeerGrpc;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.Limits;
import io.kvorum.server.cluster.PromoteForwarder;
import io.kvorum.server.lease.LeaseForwarder;
import io.kvorum.server.maintenance.PeerHashes;
import java.util.concurrent.TimeUnit;

/**
 * Single calls to other members, over the connections of the transport. One attempt each, bounded by the request limit; answers come on the
 * transport's thread.
 */
public final class PeerCalls implements LeaseForwarder, PromoteForwarder, PeerHashes {
  private final PeerTransport transport;
  private final Limits limits;

  public PeerCalls(PeerTransport transport, Limits limits) {
    this.transport = transport;
    this.limits = limits;
  }

  @Override
  public void renew(long leader, LeaseKeepAliveRequest request, Completion<LeaseKeepAliveResponse> completion) {
    call(leader, PeerGrpc.getLeaseRenewMethod(), request, completion);
  }

  @Override
  public void timeToLive(long leader, LeaseTimeToLiveRequest request, Completion<LeaseTimeToLiveResponse> completion) {
    call(leader, PeerGrpc.getLeaseTimeToLiveMethod(), request, completion);
  }

  @Override
  public void leases(long leader, LeaseLeasesRequest request, Completion<LeaseLeasesResponse> completion) {
    call(leader, PeerGrpc.getLeaseLeasesMethod(), request, completion);
  }

  @Override
  public void promote(long leader, MemberPromoteRequest request, Completion<MemberPromoteResponse> completion) {
    call(leader, PeerGrpc.getMemberPromoteMethod(), request, completion);
  }

  @Override
  public void hash(long member, long revision, Completion<HashKVResponse> completion) {
    call(member, PeerGrpc.getHashKVMethod(), HashKVRequest.newBuilder().setRevision(revision).build(), completion);
  }

  /** Tells a member how far a chain of backups is; whether it heard it nobody knows. */
  public void keepLog(long member, String chain, long index) {
    call(member, PeerGrpc.getKeepLogMethod(), KeepLogRequest.newBuilder().setChain(chain).setIndex(index).build(), Completion.ignored());
  }

  private <Q, A> void call(long member, MethodDescriptor<Q, A> method, Q request, Completion<A> completion) {
    Channel channel = transport.channel(member);
    if (channel == null) {
      completion.failed(Status.UNAVAILABLE.withDescription("no connection to the member").asRuntimeException());
      return;
    }
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(limits.requestMillis(), TimeUnit.MILLISECONDS);
    ClientCalls.asyncUnaryCall(channel.newCall(method, options), request, new Single<>(completion));
  }

  private static final class Single<A> implements StreamObserver<A> {
    private final Completion<A> completion;
    private A answer;

    Single(Completion<A> completion) {
      this.completion = completion;
    }

    @Override
    public void onNext(A value) {
      answer = value;
    }

    @Override
    public void onError(Throwable reason) {
      Status status = Status.fromThrowable(reason);
      completion.failed(reason instanceof StatusRuntimeException e ? e : status.asRuntimeException());
    }

    @Override
    public void onCompleted() {
      completion.done(answer);
    }
  }
}
