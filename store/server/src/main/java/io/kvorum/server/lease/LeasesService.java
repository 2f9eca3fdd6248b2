package io.kvorum.server.lease;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.PutWithLease;
import io.kvorum.protocol.v1.LeasesGrpc;
import io.kvorum.protocol.v1.PutWithLeaseRequest;
import io.kvorum.protocol.v1.PutWithLeaseResponse;
import io.kvorum.server.auth.Access;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.FeatureLevel;
import io.kvorum.server.base.Kernel;
import java.util.function.IntSupplier;
import java.util.random.RandomGenerator;

/** {@code kvorum.v1.Leases}: a lease and its key through the log as one. */
public final class LeasesService extends LeasesGrpc.LeasesImplBase {
  private final Kernel kernel;
  private final Access access;
  private final IntSupplier featureLevel;
  private final LeaseIds ids;

  /**
   * @param kernel its proposals carry the caller
   * @param access who may do what
   * @param lessor this member's leases
   * @param featureLevel the cluster's, as this member has applied it
   * @param random seeds the choice of ids; asked here and never again
   */
  public LeasesService(Kernel kernel, Access access, Lessor lessor, IntSupplier featureLevel, RandomGenerator random) {
    this.kernel = kernel;
    this.access = access;
    this.featureLevel = featureLevel;
    this.ids = new LeaseIds(lessor, random);
  }

  /** What is wrong with the request by itself comes first, as with Put; as with LeaseGrant only users get as far as an alarm can refuse. */
  @Override
  public void putWithLease(PutWithLeaseRequest request, StreamObserver<PutWithLeaseResponse> observer) {
    EtcdError refusal = request.getKey().isEmpty() ? EtcdError.EMPTY_KEY : access.user(access.caller());
    if (refusal != null) {
      observer.onError(refusal.exception());
      return;
    }
    int level = featureLevel.getAsInt();
    if (level < FeatureLevel.PUT_WITH_LEASE) {
      // Some member would not understand the entry.
      String text = "PutWithLease takes feature level " + FeatureLevel.PUT_WITH_LEASE + ", the cluster's is " + level;
      observer.onError(Status.UNIMPLEMENTED.withDescription(text).asRuntimeException());
      return;
    }
    kernel
        .proposals()
        .propose(
            LogRequest.newBuilder().setPutWithLease(entry(request)),
            LeaseService.mapped(
                new LeaseService.Answer<PutWithLeaseResponse>(observer),
                applied -> applied.toBuilder().setHeader(kernel.header(applied.getHeader().getRevision())).build()));
  }

  private PutWithLease.Builder entry(PutWithLeaseRequest request) {
    long id = request.getLease() == 0 ? ids.free() : request.getLease();
    long ttl = Math.max(request.getTtl(), kernel.limits().minLeaseTtlSeconds());
    return PutWithLease.newBuilder()
        .setGrant(LeaseGrantRequest.newBuilder().setID(id).setTTL(ttl))
        .setPut(PutRequest.newBuilder().setKey(request.getKey()).setValue(request.getValue()).setLease(id).setPrevKv(request.getPrevKv()));
  }
}
