package io.kvorum.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** On a store that does not have PutWithLease, and that fails. */
class LeasedPutTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final Duration TTL = Duration.ofSeconds(1);

  private FakeStore store;

  @BeforeEach
  void start() throws Exception {
    store = new FakeStore();
  }

  @AfterEach
  void stop() {
    store.close();
  }

  private int asked(String what) {
    return Collections.frequency(List.copyOf(store.asked), what);
  }

  @Test
  void grant_and_put_do_where_nothing_else_is() throws Exception {
    try (LeasedPut put = LeasedPut.start("k", "v", TTL, store.channel)) {
      put.await(LONG);
      assertThat(store.get("k")).isEqualTo("v");
      assertThat(store.leases()).isEqualTo(1);
      Await.until("it is renewed", () -> asked("keep-alive") >= 3);
      put.set("w");
      put.await(LONG);
      assertThat(store.get("k")).isEqualTo("w");
      assertThat(asked("grant")).isEqualTo(1);
    }
    assertThat(store.get("k")).isNull();
    assertThat(store.leases()).isZero();
  }

  @Test
  void what_ended_is_written_again() throws Exception {
    try (LeasedPut put = LeasedPut.start("k", "v", TTL, store.channel)) {
      put.await(LONG);
      store.endLeases();
      assertThat(store.get("k")).isNull();
      Await.until("it is back", () -> "v".equals(store.get("k")));
      assertThat(asked("grant")).isEqualTo(2);
      assertThat(store.leases()).isEqualTo(1);
    }
  }

  @Test
  void a_store_that_is_away_is_tried_again_and_the_key_counts_as_held_for_its_time_alone() throws Exception {
    store.down(Status.UNAVAILABLE.withDescription("etcdserver: no leader"));
    try (LeasedPut put = LeasedPut.start("k", "v", TTL, store.channel)) {
      assertThatThrownBy(() -> put.await(Duration.ofMillis(200))).isInstanceOf(TimeoutException.class).hasMessageStartingWith("k is not written: ");
      store.down(null);
      put.await(LONG);
      store.down(Status.UNAVAILABLE);
      Await.until("it is held no longer", () -> !put.held());
      assertThat(put.trouble()).isPresent();
      store.endLeases();
      store.down(null);
      put.await(LONG);
      assertThat(store.get("k")).isEqualTo("v");
      assertThat(put.trouble()).isEmpty();
    }
  }

  @Test
  void closing_does_not_wait_for_a_store_that_is_away() throws Exception {
    LeasedPut put = LeasedPut.start("k", "v", TTL, store.channel);
    put.await(LONG);
    store.down(Status.UNAVAILABLE);
    long began = System.nanoTime();
    put.close();
    put.close();
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
    assertThat(put.held()).isFalse();
  }

  @Test
  void nonsense_is_refused() {
    assertThatThrownBy(() -> LeasedPut.start("", "v", TTL, store.channel)).hasMessage("no key");
    assertThatThrownBy(() -> LeasedPut.start("k", "v", Duration.ofMillis(999), store.channel)).hasMessage("less than a second: PT0.999S");
  }
}
