package io.kvorum.discovery;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.health.HealthCheckRequest;
import io.kvorum.protocol.health.HealthCheckResponse;
import io.kvorum.protocol.health.HealthGrpc;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** One instance of a service: answers, counts, and is registered. */
final class Backend implements AutoCloseable {
  final AtomicLong calls = new AtomicLong();
  final String address;
  private final Server server;
  private final LeasedPut registration;

  Backend(String key, StoreOptions store) throws Exception {
    server =
        Grpc.newServerBuilderForPort(0, InsecureServerCredentials.create())
            .addService(
                new HealthGrpc.HealthImplBase() {
                  @Override
                  public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> observer) {
                    calls.incrementAndGet();
                    observer.onNext(HealthCheckResponse.newBuilder().setStatus(HealthCheckResponse.ServingStatus.SERVING).build());
                    observer.onCompleted();
                  }
                })
            .build()
            .start();
    address = "127.0.0.1:" + server.getPort();
    registration = LeasedPut.register(new ServiceInstance(key, address, Map.of("zone", "a", "weight", "2")), Duration.ofSeconds(30), store);
    registration.await(Duration.ofSeconds(30));
  }

  /** Nobody finds it any more; it still answers. */
  void leave() {
    registration.close();
  }

  /** Answers what it has been asked, and then nothing more. */
  void stop() throws InterruptedException {
    server.shutdown();
    if (!server.awaitTermination(10, TimeUnit.SECONDS)) {
      server.shutdownNow();
    }
  }

  @Override
  public void close() throws IOException {
    registration.close();
    server.shutdownNow();
  }
}
