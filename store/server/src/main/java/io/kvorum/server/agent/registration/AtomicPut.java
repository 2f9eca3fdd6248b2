package io.kvorum.server.agent.registration;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.Status;
import io.kvorum.protocol.v1.LeasesGrpc;
import io.kvorum.protocol.v1.PutWithLeaseRequest;
import io.kvorum.protocol.v1.PutWithLeaseResponse;
import java.util.concurrent.CompletableFuture;

/** Lease and entry in one entry of the log; where the server has no such call (etcd, or a cluster of an older level), in the other way. */
final class AtomicPut implements LeasedPut {
  private final Channel channel;
  private final LeasedPut otherwise;
  private final long callNanos;

  /** @param callNanos bound of the call */
  AtomicPut(Channel channel, LeasedPut otherwise, long callNanos) {
    this.channel = channel;
    this.otherwise = otherwise;
    this.callNanos = callNanos;
  }

  @Override
  public CompletableFuture<Long> put(ByteString key, ByteString value, long lease, long ttlSeconds) {
    PutWithLeaseRequest request = PutWithLeaseRequest.newBuilder().setKey(key).setValue(value).setLease(lease).setTtl(ttlSeconds).build();
    return Unary.call(channel, LeasesGrpc.getPutWithLeaseMethod(), request, callNanos)
        .thenApply(PutWithLeaseResponse::getTtl)
        .exceptionallyCompose(
            failure ->
                Status.fromThrowable(failure).getCode() == Status.Code.UNIMPLEMENTED
                    ? otherwise.put(key, value, lease, ttlSeconds)
                    : CompletableFuture.failedFuture(failure));
  }
}
