package io.kvorum.server.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.UnknownHostException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PeerUrlsTest {
  private static final Map<String, String> HOSTS = Map.of("localhost", "127.0.0.1", "127.0.0.1", "127.0.0.1", "other", "10.0.0.9", "::1", "::1");

  private static final PeerUrls.Resolver RESOLVER =
      host -> {
        if (!HOSTS.containsKey(host)) {
          throw new UnknownHostException(host);
        }
        return HOSTS.get(host);
      };

  @ParameterizedTest
  @ValueSource(strings = {"http://localhost:2380", "https://10.0.0.1:2380", "http://[::1]:2380", "http://:2380", "unix://localhost:m1", "http://a_b.c:1"})
  void accepts(String url) {
    assertThat(PeerUrls.parse(List.of(url))).containsExactly(url);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "localhost:2380", "ftp://localhost:2380", "http://localhost", "http://localhost:2380/path", "http://localhost:2380/", "http://::1:2380",
        "http://localhost:x", "http://localhost:", "http://localhost:70000", "http://a b:1", "http://%41:1", "http://a^b:1", "://"
      })
  void refuses(String url) {
    assertThatThrownBy(() -> PeerUrls.parse(List.of("http://good:1", url))).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void refusesNoUrlsAndSortsSeveral() {
    assertThatThrownBy(() -> PeerUrls.parse(List.of())).isInstanceOf(IllegalArgumentException.class);
    assertThat(PeerUrls.parse(List.of("http://b:1", " http://a:1"))).containsExactly("http://a:1", "http://b:1");
  }

  @Test
  void namesAreResolvedForComparison() throws Exception {
    assertThat(PeerUrls.same(List.of("http://localhost:1"), List.of("http://127.0.0.1:1"), RESOLVER)).isTrue();
    assertThat(PeerUrls.same(List.of("http://localhost:1"), List.of("http://127.0.0.1:2"), RESOLVER)).isFalse();
    assertThat(PeerUrls.same(List.of("http://localhost:1"), List.of("https://127.0.0.1:1"), RESOLVER)).isFalse();
    assertThat(PeerUrls.same(List.of("http://localhost:1"), List.of("http://other:1"), RESOLVER)).isFalse();
    assertThat(PeerUrls.same(List.of("http://other:1", "http://localhost:1"), List.of("http://127.0.0.1:1", "http://other:1"), RESOLVER)).isTrue();
    assertThat(PeerUrls.same(List.of("http://localhost:1"), List.of("http://localhost:1", "http://other:1"), RESOLVER)).isFalse();
  }

  @Test
  void equalTextNeedsNoResolution() throws Exception {
    assertThat(PeerUrls.same(List.of("http://nowhere:1"), List.of("http://nowhere:1"), RESOLVER)).isTrue();
    assertThatThrownBy(() -> PeerUrls.same(List.of("http://nowhere:1"), List.of("http://other:1"), RESOLVER)).isInstanceOf(UnknownHostException.class);
  }
}
