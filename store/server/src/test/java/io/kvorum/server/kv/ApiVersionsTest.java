package io.kvorum.server.kv;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.server.metrics.MetricsText;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ApiVersionsTest {
  private final ApiVersions versions = new ApiVersions();

  private String text() {
    MetricsText out = new MetricsText();
    versions.collect(out);
    return out.toString();
  }

  private static byte[] header(String version) {
    return version.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void calls_are_counted_by_version_and_kind() {
    versions.of(header("3.6")).add(true);
    versions.of(header("3.6")).add(true);
    versions.of(header("3.6")).add(false);
    versions.of(null).add(true);
    assertThat(text())
        .contains("etcd_server_client_requests_total{client_api_version=\"3.6\",type=\"unary\"} 2\n")
        .contains("etcd_server_client_requests_total{client_api_version=\"3.6\",type=\"stream\"} 1\n")
        .contains("etcd_server_client_requests_total{client_api_version=\"unknown\",type=\"unary\"} 1\n");
  }

  @Test
  void what_is_not_utf8_has_no_counts() {
    assertThat(versions.of(new byte[] {(byte) 0xff})).isNull();
    assertThat(text()).isEmpty();
  }

  @Test
  void versions_beyond_the_bound_are_counted_together() {
    for (int i = 0; i < 10 * ApiVersions.VERSIONS_MAX; i++) {
      versions.of(header("v" + i)).add(true);
    }
    assertThat(text().lines().filter(line -> !line.startsWith("#"))).hasSize(ApiVersions.VERSIONS_MAX + 1);
    assertThat(text()).contains("{client_api_version=\"other\",type=\"unary\"} " + 9 * ApiVersions.VERSIONS_MAX);
  }
}
