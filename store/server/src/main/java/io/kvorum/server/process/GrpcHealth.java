package io.kvorum.server.process;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.health.HealthCheckRequest;
import io.kvorum.protocol.health.HealthCheckResponse;
import io.kvorum.protocol.health.HealthCheckResponse.ServingStatus;
import io.kvorum.protocol.health.HealthGrpc;

/** gRPC's health service. As in etcd only the whole server is known, by the empty name; it serves as long as its port is open. */
final class GrpcHealth extends HealthGrpc.HealthImplBase {
  @Override
  public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> answer) {
    if (!request.getService().isEmpty()) {
      answer.onError(Status.NOT_FOUND.withDescription("unknown service").asRuntimeException());
      return;
    }
    answer.onNext(status(ServingStatus.SERVING));
    answer.onCompleted();
  }

  /** The status now; it does not change, so nothing follows until the caller or the server goes. */
  @Override
  public void watch(HealthCheckRequest request, StreamObserver<HealthCheckResponse> answer) {
    answer.onNext(status(request.getService().isEmpty() ? ServingStatus.SERVING : ServingStatus.SERVICE_UNKNOWN));
  }

  private static HealthCheckResponse status(ServingStatus status) {
    return HealthCheckResponse.newBuilder().setStatus(status).build();
  }
}
