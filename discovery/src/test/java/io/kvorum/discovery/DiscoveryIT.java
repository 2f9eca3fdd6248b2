package io.kvorum.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.health.HealthCheckRequest;
import io.kvorum.protocol.health.HealthGrpc;
import io.kvorum.protocol.v1.AdminGrpc;
import io.kvorum.protocol.v1.DescribeRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Registered, found and balanced over, with a real store that is killed on the way. */
class DiscoveryIT {
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir Path temp;
  private KvorumProcess store;
  private StoreOptions options;

  @BeforeEach
  void start() throws Exception {
    store = new KvorumProcess(temp, "http");
    options = StoreOptions.of(store.url);
    AdminGrpc.AdminBlockingStub admin = AdminGrpc.newBlockingStub(store.channel());
    Await.until("the feature level of PutWithLease", () -> admin.describe(DescribeRequest.getDefaultInstance()).getFeatureLevel() >= 2);
  }

  @AfterEach
  void stop() throws Exception {
    store.close();
  }

  private RangeResponse get(String key) {
    return KVGrpc.newBlockingStub(store.channel()).withWaitForReady().withDeadlineAfter(30, TimeUnit.SECONDS)
        .range(RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).build());
  }

  /** Calls through the channel until every one of these was called again, and none of those. */
  private static void callUntilBalanced(HealthGrpc.HealthBlockingStub service, List<Backend> wanted, List<Backend> unwanted) throws InterruptedException {
    Await.until(
        "balanced",
        () -> {
          List<Long> before = wanted.stream().map(backend -> backend.calls.get()).toList();
          List<Long> notBefore = unwanted.stream().map(backend -> backend.calls.get()).toList();
          for (int i = 0; i < 3 * wanted.size(); i++) {
            service.withDeadlineAfter(10, TimeUnit.SECONDS).check(HealthCheckRequest.getDefaultInstance());
          }
          boolean all = true;
          for (int i = 0; i < wanted.size(); i++) {
            all &= wanted.get(i).calls.get() > before.get(i);
          }
          return all && unwanted.stream().map(backend -> backend.calls.get()).toList().equals(notBefore);
        });
  }

  @Test
  void a_channel_follows_those_who_come_and_go_and_no_call_fails() throws Exception {
    String authority = store.url.substring("http://".length());
    ManagedChannel channel =
        Grpc.newChannelBuilder("kvorum://" + authority + "/services/orders", InsecureChannelCredentials.create()).defaultLoadBalancingPolicy("round_robin").build();
    try (Backend one = new Backend("services/orders/one", options);
        Backend two = new Backend("services/orders/two", options);
        Backend three = new Backend("services/orders/three", options);
        Backend other = new Backend("services/orders-too/other", options)) {
      HealthGrpc.HealthBlockingStub service = HealthGrpc.newBlockingStub(channel);
      callUntilBalanced(service, List.of(one, two, three), List.of(other));
      two.leave();
      callUntilBalanced(service, List.of(one, three), List.of(two, other));
      two.stop();
      try (Backend four = new Backend("services/orders/four", options)) {
        callUntilBalanced(service, List.of(one, three, four), List.of(two, other));
        store.kill();
        callUntilBalanced(service, List.of(one, three, four), List.of(two, other));
        store.start();
        four.leave();
        callUntilBalanced(service, List.of(one, three), List.of(two, four, other));
      }
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  @Test
  void one_entry_writes_the_key_and_its_lease_and_closing_takes_both() throws Exception {
    long before = get("k").getHeader().getRevision();
    try (LeasedPut put = LeasedPut.start("k", "v", Duration.ofSeconds(600), options)) {
      put.await(LONG);
      RangeResponse found = get("k");
      assertThat(found.getHeader().getRevision()).isEqualTo(before + 1);
      assertThat(found.getKvs(0).getLease()).isPositive();
    }
    assertThat(get("k").getKvsCount()).isZero();
    assertThat(LeaseGrpc.newBlockingStub(store.channel()).leaseLeases(LeaseLeasesRequest.getDefaultInstance()).getLeasesCount()).isZero();
  }

  @Test
  void a_writer_that_dies_leaves_its_key_for_the_ttl_and_one_that_lives_keeps_it_over_the_stores_death() throws Exception {
    ManagedChannel dying = Grpc.newChannelBuilder("dns:///" + store.url.substring("http://".length()), InsecureChannelCredentials.create()).build();
    LeasedPut dead = LeasedPut.start("services/orders/dead", new ServiceInstance("k", "10.0.0.1:1", Map.of()).toJson(), Duration.ofSeconds(2), dying);
    try (ServiceDirectory orders = ServiceDirectory.open("services/orders", options);
        LeasedPut alive = LeasedPut.register(new ServiceInstance("services/orders/alive", "10.0.0.2:1", Map.of()), Duration.ofSeconds(3), options)) {
      dead.await(LONG);
      alive.await(LONG);
      Await.until("both are found", () -> orders.instances().size() == 2);
      dying.shutdownNow();
      Await.until("the dead one is gone", () -> orders.instances().stream().map(ServiceInstance::name).toList().equals(List.of("alive")));
      store.kill();
      Await.until("trouble", () -> orders.trouble().isPresent());
      assertThat(orders.instances()).hasSize(1);
      store.start();
      Await.until("no trouble", () -> orders.trouble().isEmpty());
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
      Await.until(
          "longer than its TTL",
          () -> System.nanoTime() > until && alive.held() && orders.instances().stream().map(ServiceInstance::address).toList().equals(List.of("10.0.0.2:1")));
    } finally {
      dead.close();
    }
  }

  @Test
  void a_unix_socket_is_a_way_too() throws Exception {
    StoreOptions socket = StoreOptions.of("unix://" + temp.resolve("client.sock"));
    ServiceInstance one = new ServiceInstance("services/orders/one", "10.0.0.1:80", Map.of());
    try (LeasedPut registration = LeasedPut.register(one, LONG, socket); ServiceDirectory orders = ServiceDirectory.open("services/orders", socket)) {
      registration.await(LONG);
      Await.until("it is found", () -> orders.instances().equals(List.of(one)));
    }
  }

  @Test
  void what_the_server_refuses_is_told() throws Exception {
    try (LeasedPut put = LeasedPut.start("k", "v".repeat(2_000_000), LONG, options)) {
      Await.until("trouble", () -> put.trouble().isPresent());
      assertThat(put.trouble()).contains("INVALID_ARGUMENT etcdserver: request is too large");
      put.set("small");
      put.await(LONG);
      assertThat(put.trouble()).isEmpty();
    }
  }
}
