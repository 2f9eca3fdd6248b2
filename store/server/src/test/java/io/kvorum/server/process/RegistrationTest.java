package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.mvccpb.KeyValue;
import io.kvorum.server.agent.registration.Endpoint;
import io.kvorum.server.agent.registration.Reason;
import io.kvorum.server.agent.registration.Registrar;
import io.kvorum.server.agent.registration.RegistrationSettings;
import io.kvorum.server.front.EventLoops;
import io.kvorum.server.metrics.MetricsText;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A registration in a real member. */
@Timeout(120)
class RegistrationTest {
  private static final String KEY = "services/web/pod-0";
  private static final String VALUE = "{\"Op\":0,\"Addr\":\"10.0.0.1:8080\",\"Metadata\":{\"weight\":\"5\",\"zone\":\"a\"}}";
  private static final long TTL_SECONDS = 3;

  @TempDir Path temp;
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final EventLoops loops = EventLoops.single("registration-test");
  private ServerSocket application;
  private LoneMember member;

  @BeforeEach
  void start() throws Exception {
    member = new LoneMember(temp.resolve("m0"));
    application = application(0);
  }

  /** Takes connections until it is closed. */
  private static ServerSocket application(int port) throws IOException {
    ServerSocket listening = new ServerSocket(port, 5, InetAddress.getLoopbackAddress());
    Thread.ofVirtual()
        .start(
            () -> {
              while (!listening.isClosed()) {
                try {
                  listening.accept().close();
                } catch (IOException closed) {
                  assertThat(listening.isClosed()).isTrue();
                }
              }
            });
    return listening;
  }

  @AfterEach
  void stop() throws Exception {
    timer.shutdownNow();
    application.close();
    loops.close();
    member.close();
  }

  private Registrar registrar(ScheduledExecutorService on) {
    RegistrationSettings settings =
        new RegistrationSettings(
            "services/", "web", "pod-0", new Endpoint("10.0.0.1:8080", Map.of("zone", "a", "weight", "5")), TTL_SECONDS,
            "tcp://127.0.0.1:" + application.getLocalPort(), Duration.ofMillis(100));
    return Registrar.over(member.channel, settings, loops, on, System::nanoTime, new Random(7));
  }

  private Optional<KeyValue> entry() {
    return KVGrpc.newBlockingStub(member.channel).range(RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(KEY)).build()).getKvsList().stream().findFirst();
  }

  private List<Long> leases() {
    return LeaseGrpc.newBlockingStub(member.channel).leaseLeases(LeaseLeasesRequest.getDefaultInstance()).getLeasesList().stream().map(lease -> lease.getID()).toList();
  }

  private static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waiting: " + what).isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  @Test
  void the_entry_follows_readiness_and_a_polite_stop_leaves_nothing() throws Exception {
    try (Registrar registrar = registrar(timer)) {
      registrar.start();
      await("the entry", () -> entry().isPresent());
      assertThat(entry().orElseThrow().getValue().toStringUtf8()).isEqualTo(VALUE);
      assertThat(leases()).containsExactly(entry().orElseThrow().getLease());
      await("its own view of it", registrar::isRegistered);

      int port = application.getLocalPort();
      application.close();
      await("no entry", () -> entry().isEmpty());
      assertThat(leases()).isEmpty();
      application = application(port);
      await("the entry again", () -> entry().isPresent());

      long began = System.nanoTime();
      assertThat(registrar.withdraw(Reason.DEREGISTERED).get(10, TimeUnit.SECONDS).confirmed()).isTrue();
      assertThat(entry()).isEmpty();
      assertThat(leases()).isEmpty();
      assertThat(System.nanoTime() - began).as("did not wait for the lease's end").isLessThan(TimeUnit.SECONDS.toNanos(TTL_SECONDS));
      MetricsText metrics = new MetricsText();
      registrar.collect(metrics);
      assertThat(metrics.toString())
          .contains("kvorum_agent_registration_events_total{reason=\"registered\"} 2", "kvorum_agent_registration_events_total{reason=\"deregistered\"} 1",
              "kvorum_agent_registration_registered 0");
    }
  }

  @Test
  void a_lease_or_entry_that_was_taken_away_comes_back_and_stays_longer_than_a_ttl() throws Exception {
    try (Registrar registrar = registrar(timer)) {
      registrar.start();
      await("the entry", () -> entry().isPresent());
      long first = entry().orElseThrow().getLease();
      LeaseGrpc.newBlockingStub(member.channel).leaseRevoke(LeaseRevokeRequest.newBuilder().setID(first).build());
      await("the entry under another lease", () -> entry().filter(pair -> pair.getLease() != first).isPresent());

      long second = entry().orElseThrow().getLease();
      KVGrpc.newBlockingStub(member.channel).deleteRange(DeleteRangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(KEY)).build());
      await("the entry that somebody deleted", () -> entry().isPresent());
      assertThat(leases()).containsExactly(entry().orElseThrow().getLease()).doesNotContain(second);

      long created = entry().orElseThrow().getCreateRevision();
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(TTL_SECONDS + 1);
      await("more than a lifetime", () -> System.nanoTime() > until);
      MetricsText metrics = new MetricsText();
      registrar.collect(metrics);
      assertThat(entry()).as(metrics.toString()).hasValueSatisfying(pair -> assertThat(pair.getCreateRevision()).isEqualTo(created));
    }
    assertThat(entry()).isEmpty();
  }

  @Test
  void what_another_wrote_in_its_place_is_left_alone() throws Exception {
    try (Registrar registrar = registrar(timer)) {
      registrar.start();
      await("the entry", () -> entry().isPresent());
      PutRequest other = PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(KEY)).setValue(ByteString.copyFromUtf8("other")).build();
      KVGrpc.newBlockingStub(member.channel).put(other);
    }
    assertThat(entry().orElseThrow().getValue().toStringUtf8()).isEqualTo("other");
    assertThat(leases()).isEmpty();
  }

  @Test
  void an_agent_that_dies_is_gone_within_its_ttl() throws Exception {
    ScheduledExecutorService dying = Executors.newSingleThreadScheduledExecutor();
    registrar(dying).start();
    await("the entry", () -> entry().isPresent());
    long died = System.nanoTime();
    dying.shutdownNow();
    await("no entry", () -> entry().isEmpty());
    // The leader looks for expired leases every half second; the rest is for a busy machine.
    assertThat(System.nanoTime() - died).isLessThan(TimeUnit.SECONDS.toNanos(TTL_SECONDS + 4));
  }
}
