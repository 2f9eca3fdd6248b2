package io.kvorum.discovery;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.v1.LeasesGrpc;
import io.kvorum.protocol.v1.PutWithLeaseRequest;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.random.RandomGenerator;

/**
 * The calls about one key and its lease. The lease's id is chosen here, so that a write whose answer was lost can be gone on with, and taken back. Blocking; one thread at a time.
 */
final class LeaseCalls {
  private static final long ANSWER_SECONDS = 5;
  private static final String EXISTS = "etcdserver: lease already exists";

  private final ByteString key;
  private final long ttlSeconds;
  private final RandomGenerator random;
  private volatile long id;
  private boolean granted;
  private long grantedSeconds;

  LeaseCalls(ByteString key, long ttlSeconds, RandomGenerator random) {
    this.key = key;
    this.ttlSeconds = ttlSeconds;
    this.random = random;
    forget();
  }

  /** The next write takes another lease. */
  void forget() {
    id = 1 + random.nextLong(Long.MAX_VALUE);
    granted = false;
    grantedSeconds = ttlSeconds;
  }

  /** Whether the lease is known to have been granted; it may have ended since. */
  boolean isGranted() {
    return granted;
  }

  /** The server may have given more than was asked for. */
  long grantedSeconds() {
    return grantedSeconds;
  }

  /** Puts the value under the lease, which is granted along with it if it has not been. */
  void write(Channel channel, ByteString value) {
    if (granted) {
      put(channel, value);
      return;
    }
    try {
      PutWithLeaseRequest request = PutWithLeaseRequest.newBuilder().setKey(key).setValue(value).setTtl(ttlSeconds).setLease(id).build();
      grantedSeconds = LeasesGrpc.newBlockingStub(channel).withDeadlineAfter(ANSWER_SECONDS, TimeUnit.SECONDS).putWithLease(request).getTtl();
    } catch (StatusRuntimeException refused) {
      if (refused.getStatus().getCode() == Status.Code.UNIMPLEMENTED) {
        grant(channel);
      } else if (!EXISTS.equals(refused.getStatus().getDescription())) {
        throw refused;
      }
      // An earlier try has come through, perhaps with another value.
      put(channel, value);
    }
    granted = true;
  }

  private void grant(Channel channel) {
    try {
      LeaseGrantRequest request = LeaseGrantRequest.newBuilder().setID(id).setTTL(ttlSeconds).build();
      grantedSeconds = LeaseGrpc.newBlockingStub(channel).withDeadlineAfter(ANSWER_SECONDS, TimeUnit.SECONDS).leaseGrant(request).getTTL();
    } catch (StatusRuntimeException refused) {
      if (!EXISTS.equals(refused.getStatus().getDescription())) {
        throw refused;
      }
    }
  }

  private void put(Channel channel, ByteString value) {
    KVGrpc.newBlockingStub(channel)
        .withDeadlineAfter(ANSWER_SECONDS, TimeUnit.SECONDS)
        .put(PutRequest.newBuilder().setKey(key).setValue(value).setLease(id).build());
  }

  /** Begins the TTL anew; false when the lease has ended. */
  boolean renew(Channel channel) throws InterruptedException {
    CompletableFuture<LeaseKeepAliveResponse> first = new CompletableFuture<>();
    StreamObserver<LeaseKeepAliveRequest> requests =
        LeaseGrpc.newStub(channel)
            .withDeadlineAfter(ANSWER_SECONDS, TimeUnit.SECONDS)
            .leaseKeepAlive(
                new StreamObserver<>() {
                  @Override
                  public void onNext(LeaseKeepAliveResponse answer) {
                    first.complete(answer);
                  }

                  @Override
                  public void onError(Throwable broken) {
                    first.completeExceptionally(broken);
                  }

                  @Override
                  public void onCompleted() {
                    first.completeExceptionally(Status.UNAVAILABLE.withDescription("the stream has ended").asRuntimeException());
                  }
                });
    requests.onNext(LeaseKeepAliveRequest.newBuilder().setID(id).build());
    requests.onCompleted();
    try {
      return first.get(2 * ANSWER_SECONDS, TimeUnit.SECONDS).getTTL() > 0;
    } catch (ExecutionException broken) {
      throw Status.fromThrowable(broken.getCause()).asRuntimeException();
    } catch (TimeoutException late) {
      throw Status.DEADLINE_EXCEEDED.withDescription("no answer").asRuntimeException();
    }
  }

  /** Ends the lease, and the key with it. */
  void revoke(Channel channel, long seconds) {
    LeaseGrpc.newBlockingStub(channel).withDeadlineAfter(seconds, TimeUnit.SECONDS).leaseRevoke(LeaseRevokeRequest.newBuilder().setID(id).build());
  }
}
