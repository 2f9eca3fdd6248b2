package io.kvorum.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StoreOptionsTest {
  @Test
  void without_a_word_it_is_the_agent_of_the_pod() {
    assertThat(StoreOptions.fromEnvironment(Map.of())).isEqualTo(StoreOptions.of("http://127.0.0.1:2379"));
  }

  @Test
  void the_environment_names_endpoints_authorities_and_a_token() {
    Map<String, String> environment = Map.of("KVORUM_ENDPOINTS", "https://a:1, b:2,", "KVORUM_CACERT", "/ca", "KVORUM_TOKEN_FILE", "/token");
    StoreOptions options = StoreOptions.fromEnvironment(environment);
    assertThat(options.endpoints()).containsExactly("https://a:1", "b:2");
    assertThat(options.caFile()).isEqualTo(Path.of("/ca"));
    assertThat(options.tokenFile()).isEqualTo(Path.of("/token"));
  }

  @Test
  void endpoints_become_targets() {
    assertThat(Endpoint.parse("http://[::1]:2379/")).isEqualTo(new Endpoint("dns:///[::1]:2379", false, false));
    assertThat(Endpoint.parse("https://store.example:2379")).isEqualTo(new Endpoint("dns:///store.example:2379", true, false));
    assertThat(Endpoint.parse("127.0.0.1:2379")).isEqualTo(new Endpoint("dns:///127.0.0.1:2379", false, false));
    assertThat(Endpoint.parse("unix:///run/kvorum.sock")).isEqualTo(new Endpoint("unix:///run/kvorum.sock", false, true));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "h", "http://h", "ftp://h:1", "http://h:1/path", "http://u@h:1", "http://::1:2379"})
  void what_is_no_endpoint_is_refused(String text) {
    assertThatThrownBy(() -> StoreOptions.of(text)).isInstanceOf(IllegalArgumentException.class).hasMessageStartingWith("not an endpoint");
  }

  @Test
  void pauses_grow_to_a_bound() {
    Backoff backoff = new Backoff(new Random(1), 5_000);
    long sum = 0;
    for (int i = 0; i < 100; i++) {
      long pause = backoff.nextMillis();
      assertThat(pause).isBetween(Math.min(4_000, 80L << Math.min(i, 10)), Math.min(6_000, 120L << Math.min(i, 10)));
      sum += pause;
    }
    assertThat(sum).as("as often as every five seconds, about").isBetween(430_000L, 530_000L);
    backoff.reset();
    assertThat(backoff.nextMillis()).isLessThanOrEqualTo(120);
  }
}
