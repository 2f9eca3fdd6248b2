package io.kvorum.server.process;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.health.HealthCheckRequest;
import io.kvorum.protocol.health.HealthCheckResponse;
import io.kvorum.protocol.health.HealthCheckResponse.ServingStatus;
import io.kvorum.protocol.health.HealthGrpc;
import io.kvorum.server.maintenance.MaintenanceService.Defragmentation;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * gRPC's health service. As in etcd only the whole server is known, by the empty name; it serves as long as its port is open, but for the time of a defragmentation where the
 * feature gate StopGRPCServiceOnDefrag wants that.
 */
final class GrpcHealth extends HealthGrpc.HealthImplBase implements Defragmentation {
  private final boolean stopsOnDefragmentation;
  private final Set<StreamObserver<HealthCheckResponse>> watchers = new LinkedHashSet<>();
  private int defragmentations;

  /**
   * @param stopsOnDefragmentation --feature-gates=StopGRPCServiceOnDefrag
   */
  GrpcHealth(boolean stopsOnDefragmentation) {
    this.stopsOnDefragmentation = stopsOnDefragmentation;
  }

  @Override
  public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> answer) {
    if (!request.getService().isEmpty()) {
      answer.onError(Status.NOT_FOUND.withDescription("unknown service").asRuntimeException());
      return;
    }
    answer.onNext(now());
    answer.onCompleted();
  }

  /** The status now, and each other one from then on, until the caller or the server goes. */
  @Override
  public synchronized void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> answer) {
    if (!request.getService().isEmpty()) {
      answer.onNext(status(ServingStatus.SERVICE_UNKNOWN));
      return;
    }
    if (stopsOnDefragmentation) {
      ((ServerCallStreamObserver<HealthCheckResponse>) answer).setOnCancelHandler(() -> forget(answer));
      watchers.add(answer);
    }
    answer.onNext(now());
  }

  private synchronized void forget(StreamObserver<HealthCheckResponse> watcher) {
    watchers.remove(watcher);
  }

  @Override
  public synchronized void begun() {
    if (++defragmentations == 1) {
      tell();
    }
  }

  @Override
  public synchronized void ended() {
    if (--defragmentations == 0) {
      tell();
    }
  }

  private void tell() {
    watchers.forEach(watcher -> watcher.onNext(now()));
  }

  private synchronized HealthCheckResponse now() {
    return status(stopsOnDefragmentation && defragmentations > 0 ? ServingStatus.NOT_SERVING : ServingStatus.SERVING);
  }

  private static HealthCheckResponse status(ServingStatus status) {
    return HealthCheckResponse.newBuilder().setStatus(status).build();
  }
}
