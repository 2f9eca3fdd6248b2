package io.kvorum.server.agent.registration;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantResponse;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import java.util.concurrent.CompletableFuture;

/** Lease and entry in etcd's two steps: for servers that cannot do it in one. What fails in between leaves a lease without the entry. */
final class GrantThenPut implements LeasedPut {
  private final Channel channel;
  private final long callNanos;

  /** @param callNanos bound of each of the two calls */
  GrantThenPut(Channel channel, long callNanos) {
    this.channel = channel;
    this.callNanos = callNanos;
  }

  @Override
  public CompletableFuture<Long> put(ByteString key, ByteString value, long lease, long ttlSeconds) {
    LeaseGrantRequest grant = LeaseGrantRequest.newBuilder().setID(lease).setTTL(ttlSeconds).build();
    return Unary.call(channel, LeaseGrpc.getLeaseGrantMethod(), grant, callNanos).thenCompose(granted -> put(key, value, granted));
  }

  private CompletableFuture<Long> put(ByteString key, ByteString value, LeaseGrantResponse granted) {
    PutRequest put = PutRequest.newBuilder().setKey(key).setValue(value).setLease(granted.getID()).build();
    return Unary.call(channel, KVGrpc.getPutMethod(), put, callNanos).thenApply(done -> granted.getTTL());
  }
}
