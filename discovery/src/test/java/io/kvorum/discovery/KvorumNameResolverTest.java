package io.kvorum.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a channel is told. */
class KvorumNameResolverTest {
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final SynchronizationContext context =
      new SynchronizationContext(
          (thread, broken) -> {
            throw new AssertionError(broken);
          });
  private final List<String> told = Collections.synchronizedList(new ArrayList<>());
  private final List<EquivalentAddressGroup> groups = Collections.synchronizedList(new ArrayList<>());
  private FakeStore store;
  private NameResolver resolver;

  @BeforeEach
  void start() throws Exception {
    store = new FakeStore();
    resolver = new KvorumNameResolver("services/orders", Store.of(store.channel), args(), new Random(1));
  }

  @AfterEach
  void stop() {
    context.execute(resolver::shutdown);
    store.close();
    timer.shutdownNow();
  }

  private NameResolver.Args args() {
    return NameResolver.Args.newBuilder()
        .setDefaultPort(80)
        .setProxyDetector(address -> null)
        .setSynchronizationContext(context)
        .setScheduledExecutorService(timer)
        .setServiceConfigParser(
            new NameResolver.ServiceConfigParser() {
              @Override
              public NameResolver.ConfigOrError parseServiceConfig(Map<String, ?> raw) {
                return NameResolver.ConfigOrError.fromConfig(raw);
              }
            })
        .setOffloadExecutor(timer)
        .build();
  }

  private void begin() {
    NameResolver.Listener2 listener =
        new NameResolver.Listener2() {
          @Override
          public void onResult(NameResolver.ResolutionResult result) {
            List<EquivalentAddressGroup> found = result.getAddressesOrError().getValue();
            groups.clear();
            groups.addAll(found);
            told.add(found.stream().map(group -> ((InetSocketAddress) group.getAddresses().getFirst()).getPort()).toList().toString());
          }

          @Override
          public void onError(Status reason) {
            told.add(reason.getCode() + " " + reason.getDescription());
          }
        };
    context.execute(() -> resolver.start(listener));
  }

  private static String endpoint(String address) {
    return new ServiceInstance("any", address, Map.of("zone", "a")).toJson();
  }

  @Test
  void addresses_with_what_is_registered() throws Exception {
    store.put("services/orders/a", endpoint("10.0.0.1:81"));
    store.put("services/orders/b", endpoint("localhost:82"));
    begin();
    Await.until("the base", () -> told.equals(List.of("[81, 82]")));
    assertThat(groups.getFirst().getAttributes().get(KvorumNameResolver.INSTANCE).zone()).contains("a");
    assertThat(resolver.getServiceAuthority()).isEqualTo("orders");
    Await.until("the watch", () -> store.asked.contains("watch 4"));
    store.delete("services/orders/b");
    Await.until("the change", () -> told.getLast().equals("[81]"));
    store.delete("services/orders/a");
    Await.until("nobody is left", () -> told.getLast().equals("[]"));
  }

  @Test
  void a_host_that_is_not_known_is_left_out() throws Exception {
    store.put("services/orders/a", endpoint("10.0.0.1:81"));
    store.put("services/orders/b", endpoint("no-such-host.invalid:82"));
    begin();
    Await.until("the base", () -> told.equals(List.of("[81]")));
  }

  @Test
  void a_store_that_is_away_is_an_error_only_as_long_as_nothing_was_found() throws Exception {
    store.down(Status.UNAVAILABLE.withDescription("away"));
    begin();
    Await.until("errors", () -> told.size() >= 2);
    assertThat(told).containsOnly("UNAVAILABLE the store cannot be asked for services/orders: UNAVAILABLE away");
    store.put("services/orders/a", endpoint("10.0.0.1:81"));
    store.down(null);
    Await.until("the base", () -> told.getLast().equals("[81]"));
    Await.until("the watch", () -> store.asked.contains("watch 3"));
    int before = told.size();
    store.down(Status.UNAVAILABLE.withDescription("away"));
    Await.until("it tries again", () -> Collections.frequency(List.copyOf(store.asked), "watch 3") >= 3);
    assertThat(told).as("the channel keeps what it has").hasSize(before);
  }

  @Test
  void targets_name_the_service_and_perhaps_the_store() {
    KvorumNameResolverProvider provider = new KvorumNameResolverProvider(StoreOptions.of("127.0.0.1:1"));
    NameResolver found = provider.newNameResolver(URI.create("kvorum:///services/orders"), args());
    assertThat(found.getServiceAuthority()).isEqualTo("orders");
    found.shutdown();
    provider.newNameResolver(URI.create("kvorum://127.0.0.1:2,127.0.0.1:3/services/orders/"), args()).shutdown();
    assertThat(provider.newNameResolver(URI.create("dns:///x"), args())).isNull();
    assertThatThrownBy(() -> provider.newNameResolver(URI.create("kvorum:///"), args())).hasMessage("names no service (kvorum:///services/NAME): kvorum:///");
    assertThatThrownBy(() -> provider.newNameResolver(URI.create("kvorum://h/services/x"), args())).hasMessageStartingWith("not an endpoint");
  }

  @Test
  void grpc_finds_it_by_itself() {
    NameResolverProvider found = NameResolverRegistry.getDefaultRegistry().getProviderForScheme("kvorum");
    assertThat(found).isInstanceOf(KvorumNameResolverProvider.class);
  }
}
