package io.kvorum.server.agent.registration;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.health.HealthCheckRequest;
import io.kvorum.protocol.health.HealthCheckResponse;
import io.kvorum.protocol.health.HealthGrpc;
import io.kvorum.server.base.FreePorts;
import io.kvorum.server.front.EventLoops;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Probes against real sockets. */
@Timeout(60)
class ProbesTest {
  private final EventLoops loops = EventLoops.single("probes-test");

  @AfterEach
  void stop() {
    loops.close();
  }

  private Readiness check(String target) throws Exception {
    return Probes.of(ReadinessTarget.parse(target), loops).check().get(10, TimeUnit.SECONDS);
  }

  @Test
  void http_is_ready_by_its_status() throws Exception {
    AtomicInteger status = new AtomicInteger(200);
    AtomicReference<String> asked = new AtomicReference<>();
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          asked.set(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " " + exchange.getRequestHeaders().getFirst("Host"));
          exchange.sendResponseHeaders(status.get(), -1);
          exchange.close();
        });
    server.start();
    int port = server.getAddress().getPort();
    try {
      String target = "http://127.0.0.1:" + port + "/ready?deep=1";
      assertThat(check(target)).isEqualTo(new Readiness.Ready());
      assertThat(asked.get()).isEqualTo("GET /ready?deep=1 127.0.0.1:" + port);
      status.set(302);
      assertThat(check(target)).isEqualTo(new Readiness.Ready());
      status.set(400);
      assertThat(check(target)).isEqualTo(new Readiness.Unready("HTTP status 400"));
      status.set(503);
      assertThat(check(target)).isEqualTo(new Readiness.Unready("HTTP status 503"));
    } finally {
      server.stop(0);
    }
    assertThat(check("http://127.0.0.1:" + port + "/")).isInstanceOf(Readiness.Unready.class);
  }

  @Test
  void tcp_is_ready_when_somebody_listens() throws Exception {
    try (ServerSocket listening = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      assertThat(check("tcp://127.0.0.1:" + listening.getLocalPort())).isEqualTo(new Readiness.Ready());
    }
    assertThat(check("tcp://127.0.0.1:" + FreePorts.one())).isInstanceOf(Readiness.Unready.class);
  }

  @Test
  void who_accepts_and_says_nothing_is_silent_and_who_hangs_up_is_unready() throws Exception {
    try (ServerSocket listening = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + listening.getLocalPort();
      assertThat(check("http://" + address + "/")).isInstanceOf(Readiness.Silent.class);
      assertThat(check("grpc://" + address)).isInstanceOf(Readiness.Silent.class);
    }
    try (ServerSocket listening = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual().start(() -> hangUp(listening));
      assertThat(check("http://127.0.0.1:" + listening.getLocalPort() + "/")).isInstanceOf(Readiness.Unready.class);
    }
  }

  private static void hangUp(ServerSocket listening) {
    try (Socket caller = listening.accept()) {
      assertThat(caller.getInputStream().read()).isEqualTo('G');
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void grpc_is_ready_as_its_health_service_says_at_each_question() throws Exception {
    int port = FreePorts.one();
    AtomicReference<HealthCheckResponse.ServingStatus> status = new AtomicReference<>(HealthCheckResponse.ServingStatus.SERVING);
    HealthGrpc.HealthImplBase health =
        new HealthGrpc.HealthImplBase() {
          @Override
          public void check(HealthCheckRequest request, StreamObserver<HealthCheckResponse> answer) {
            assertThat(request.getService()).isEqualTo("my.Service");
            answer.onNext(HealthCheckResponse.newBuilder().setStatus(status.get()).build());
            answer.onCompleted();
          }
        };
    String target = "grpc://127.0.0.1:" + port + "/my.Service";
    assertThat(check(target)).isInstanceOf(Readiness.Unready.class);
    Server server = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)).addService(health).build().start();
    try {
      assertThat(check(target)).isEqualTo(new Readiness.Ready());
      status.set(HealthCheckResponse.ServingStatus.NOT_SERVING);
      assertThat(check(target)).isEqualTo(new Readiness.Unready("NOT_SERVING"));
    } finally {
      server.shutdownNow().awaitTermination();
    }
    assertThat(check(target)).isInstanceOf(Readiness.Unready.class);
  }
}
