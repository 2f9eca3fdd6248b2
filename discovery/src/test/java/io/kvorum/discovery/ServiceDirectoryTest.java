package io.kvorum.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a directory makes of a store that behaves well, and of one that does not. */
class ServiceDirectoryTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  private FakeStore store;

  @BeforeEach
  void start() throws Exception {
    store = new FakeStore();
  }

  @AfterEach
  void stop() {
    store.close();
  }

  private static String endpoint(String address) {
    return new ServiceInstance("any", address, Map.of()).toJson();
  }

  private ServiceDirectory open() throws Exception {
    ServiceDirectory directory = ServiceDirectory.open("services/orders/", store.channel);
    directory.await(LONG);
    return directory;
  }

  private static void awaitAddresses(ServiceDirectory directory, String... wanted) throws Exception {
    Await.until("instances " + List.of(wanted), () -> directory.instances().stream().map(ServiceInstance::address).toList().equals(List.of(wanted)));
  }

  @Test
  void a_base_and_what_changes_after_it() throws Exception {
    store.put("services/orders/a", endpoint("10.0.0.1:80"));
    store.put("services/orders0", endpoint("10.9.9.9:80"));
    store.put("services/orders-too/x", endpoint("10.9.9.9:80"));
    try (ServiceDirectory orders = open()) {
      awaitAddresses(orders, "10.0.0.1:80");
      assertThat(store.asked).startsWith("range");
      Await.until("the watch", () -> store.asked.contains("watch 5"));
      store.put("services/orders/c", endpoint("10.0.0.3:80"));
      store.put("services/orders/b", endpoint("10.0.0.2:80"));
      awaitAddresses(orders, "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80");
      store.put("services/orders/b", endpoint("10.0.0.9:80"));
      store.delete("services/orders/a");
      awaitAddresses(orders, "10.0.0.9:80", "10.0.0.3:80");
      store.put("services/orders/b", "no endpoint");
      awaitAddresses(orders, "10.0.0.3:80");
      assertThat(store.asked).as("one range, one watch").hasSize(2);
    }
  }

  @Test
  void listeners_hear_of_each_change_until_they_are_taken_away() throws Exception {
    List<Integer> heard = Collections.synchronizedList(new ArrayList<>());
    try (ServiceDirectory orders = open()) {
      orders.listen(
          found -> {
            throw new IllegalStateException("a bad one among them");
          });
      ServiceDirectory.Registration mine = orders.listen(found -> heard.add(found.size()));
      Await.until("the first call", () -> heard.equals(List.of(0)));
      Await.until("the watch", () -> store.asked.size() == 2);
      store.put("services/orders/a", endpoint("10.0.0.1:80"));
      Await.until("the second call", () -> heard.equals(List.of(0, 1)));
      mine.close();
      store.put("services/orders/b", endpoint("10.0.0.2:80"));
      awaitAddresses(orders, "10.0.0.1:80", "10.0.0.2:80");
      assertThat(heard).containsExactly(0, 1);
    }
  }

  @Test
  void while_the_store_is_away_what_was_known_stays_and_the_watch_goes_on_where_it_was() throws Exception {
    store.put("services/orders/a", endpoint("10.0.0.1:80"));
    try (ServiceDirectory orders = open()) {
      Await.until("the watch", () -> store.asked.contains("watch 3"));
      store.put("services/orders/b", endpoint("10.0.0.2:80"));
      awaitAddresses(orders, "10.0.0.1:80", "10.0.0.2:80");
      store.down(Status.UNAVAILABLE.withDescription("etcdserver: no leader"));
      Await.until("trouble", () -> orders.trouble().isPresent());
      assertThat(orders.trouble()).contains("UNAVAILABLE etcdserver: no leader");
      Await.until("it tries again", () -> store.asked.stream().filter("watch 4"::equals).count() >= 2);
      assertThat(orders.instances()).hasSize(2);
      store.down(null);
      Await.until("no trouble", () -> orders.trouble().isEmpty());
      store.put("services/orders/c", endpoint("10.0.0.3:80"));
      awaitAddresses(orders, "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80");
      assertThat(store.asked.stream().filter("range"::equals).count()).as("no second base").isEqualTo(1);
    }
  }

  @Test
  void what_was_compacted_meanwhile_takes_a_fresh_base() throws Exception {
    store.put("services/orders/a", endpoint("10.0.0.1:80"));
    try (ServiceDirectory orders = open()) {
      Await.until("the watch", () -> store.asked.contains("watch 3"));
      store.down(Status.UNAVAILABLE);
      store.delete("services/orders/a");
      store.put("services/orders/b", endpoint("10.0.0.2:80"));
      store.compact(4);
      store.down(null);
      awaitAddresses(orders, "10.0.0.2:80");
      assertThat(store.asked.stream().filter("range"::equals).count()).isEqualTo(2);
      Await.until("the watch behind it", () -> store.asked.contains("watch 5"));
    }
  }

  @Test
  void a_base_that_is_older_than_what_is_known_does_not_count() throws Exception {
    store.put("services/orders/a", endpoint("10.0.0.1:80"));
    try (ServiceDirectory orders = open()) {
      Await.until("the watch", () -> store.asked.contains("watch 3"));
      List<Integer> sizes = Collections.synchronizedList(new ArrayList<>());
      orders.listen(found -> sizes.add(found.size()));
      store.put("services/orders/b", endpoint("10.0.0.2:80"));
      awaitAddresses(orders, "10.0.0.1:80", "10.0.0.2:80");
      store.down(Status.UNAVAILABLE);
      store.put("services/orders/c", endpoint("10.0.0.3:80"));
      store.compact(4);
      store.behind(1);
      store.down(null);
      awaitAddresses(orders, "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80");
      assertThat(store.asked).contains("range linearizable");
      assertThat(sizes).as("never the empty one").containsExactly(1, 2, 3);
    }
  }

  @Test
  void a_store_that_never_answers_is_told_of() {
    store.down(Status.PERMISSION_DENIED.withDescription("etcdserver: permission denied"));
    try (ServiceDirectory orders = ServiceDirectory.open("services/orders", store.channel)) {
      assertThatThrownBy(() -> orders.await(Duration.ofMillis(300)))
          .isInstanceOf(TimeoutException.class)
          .hasMessage("the store has not answered: PERMISSION_DENIED etcdserver: permission denied");
      assertThat(orders.instances()).isEmpty();
    }
  }

  @Test
  void a_directory_of_nothing_is_refused() {
    assertThatThrownBy(() -> ServiceDirectory.open("/", store.channel)).hasMessage("names no service (services/NAME): /");
  }
}
