package io.kvorum.server.agent.registration;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.server.agent.registration.Event.Holder;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/** Entries in a cluster behind a channel that turns to another member when one fails. */
final class ClusterEntries implements EntryStore {
  private static final long CALL_MIN = TimeUnit.SECONDS.toNanos(1);
  private static final long CALL_MAX = TimeUnit.SECONDS.toNanos(5);
  private static final int CALLS_IN_A_TTL = 3;

  private final Channel channel;
  private final LeasedPut leasedPut;
  private final long callNanos;

  /** @param callNanos bound of a single call */
  ClusterEntries(Channel channel, LeasedPut leasedPut, long callNanos) {
    this.channel = channel;
    this.leasedPut = leasedPut;
    this.callNanos = callNanos;
  }

  /** How long a call may take: a third of the lease's time, between 1 and 5 s. */
  static long callNanos(long ttlSeconds) {
    return Math.clamp(TimeUnit.SECONDS.toNanos(ttlSeconds) / CALLS_IN_A_TTL, CALL_MIN, CALL_MAX);
  }

  @Override
  public CompletableFuture<Long> write(ByteString key, ByteString value, long lease, long ttlSeconds) {
    return leasedPut.put(key, value, lease, ttlSeconds);
  }

  /** One message on a stream of its own: whatever happened to the last member, this call goes to one that works. */
  @Override
  public CompletableFuture<Renewal> renew(ByteString key, long lease) {
    LeaseKeepAliveRequest renewal = LeaseKeepAliveRequest.newBuilder().setID(lease).build();
    return Unary.call(channel, LeaseGrpc.getLeaseKeepAliveMethod(), renewal, callNanos).thenCompose(answer -> holder(key, answer));
  }

  private CompletableFuture<Renewal> holder(ByteString key, LeaseKeepAliveResponse renewed) {
    if (renewed.getTTL() <= 0) {
      return CompletableFuture.completedFuture(new Renewal(0, Holder.NOBODY));
    }
    RangeRequest question = RangeRequest.newBuilder().setKey(key).setKeysOnly(true).build();
    return Unary.call(channel, KVGrpc.getRangeMethod(), question, callNanos)
        .handle((found, failure) -> new Renewal(renewed.getTTL(), failure == null ? holder(found, renewed.getID()) : Holder.UNKNOWN));
  }

  private static Holder holder(RangeResponse found, long lease) {
    if (found.getKvsCount() == 0) {
      return Holder.NOBODY;
    }
    return found.getKvs(0).getLease() == lease ? Holder.OURS : Holder.ANOTHER;
  }

  @Override
  public CompletableFuture<Void> revoke(long lease) {
    LeaseRevokeRequest revocation = LeaseRevokeRequest.newBuilder().setID(lease).build();
    return Unary.call(channel, LeaseGrpc.getLeaseRevokeMethod(), revocation, callNanos)
        .handle(
            (done, failure) -> {
              if (failure != null && Status.fromThrowable(failure).getCode() != Status.Code.NOT_FOUND) {
                throw failure instanceof CompletionException wrapped ? wrapped : new CompletionException(failure);
              }
              return null;
            });
  }
}
