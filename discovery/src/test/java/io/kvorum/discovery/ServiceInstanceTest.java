package io.kvorum.discovery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The stored form of an endpoint, as clientv3's naming/endpoints writes and reads it. */
class ServiceInstanceTest {
  private static final String KEY = "services/orders/orders-1";

  private static ServiceInstance parse(String value) {
    return ServiceInstance.parse(KEY, value).orElse(null);
  }

  @Test
  void what_go_writes_is_read() {
    ServiceInstance found = parse("{\"Op\":0,\"Addr\":\"10.0.0.1:8080\",\"Metadata\":{\"weight\":\"3\",\"zone\":\"a\",\"version\":\"1.2\",\"port\":7,\"tags\":[\"x\"]}}");
    assertThat(found.key()).isEqualTo(KEY);
    assertThat(found.name()).isEqualTo("orders-1");
    assertThat(found.host()).isEqualTo("10.0.0.1");
    assertThat(found.port()).isEqualTo(8080);
    assertThat(found.weight()).isEqualTo(3);
    assertThat(found.zone()).contains("a");
    assertThat(found.version()).contains("1.2");
    assertThat(found.metadata()).containsEntry("port", "7").containsEntry("tags", "[\"x\"]");
  }

  @Test
  void without_metadata_there_is_none_and_names_are_taken_in_any_case() {
    ServiceInstance found = parse("{\"op\":0,\"addr\":\"[::1]:80\",\"Metadata\":null}");
    assertThat(found.host()).isEqualTo("::1");
    assertThat(found.metadata()).isEmpty();
    assertThat(found.weight()).isEqualTo(1);
    assertThat(found.zone()).isEmpty();
    assertThat(parse("{\"Addr\":\"h:80\",\"Metadata\":\"just a text\"}").metadata()).isEmpty();
    assertThat(parse("{\"Addr\":\"h:80\",\"Metadata\":{\"weight\":\"many\"}}").weight()).isEqualTo(1);
    assertThat(parse("{\"Addr\":\"h:80\",\"Metadata\":{\"weight\":\"-2\"}}").weight()).isEqualTo(1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", "x", "7", "[]", "{}", "{\"Addr\":\"\"}", "{\"Addr\":7}", "{\"Addr\":\"host\"}", "{\"Addr\":\"host:\"}", "{\"Addr\":\"host:0\"}", "{\"Addr\":\"host:65536\"}",
        "{\"Addr\":\"::1:80\"}", "{\"Addr\":\":80\"}", "{\"Addr\":\"[]:80\"}", "{\"Addr\":\"h:80\"", "{\"Addr\":[\"h:80\"]}"
      })
  void what_is_no_endpoint_is_no_instance(String value) {
    assertThat(ServiceInstance.parse(KEY, value)).isEmpty();
  }

  @Test
  void it_is_written_as_go_writes_it() {
    assertThat(new ServiceInstance(KEY, "10.0.0.1:8080", Map.of("zone", "a")).toJson()).isEqualTo("{\"Op\":0,\"Addr\":\"10.0.0.1:8080\",\"Metadata\":{\"zone\":\"a\"}}");
    assertThat(new ServiceInstance(KEY, "h:1", Map.of()).toJson()).isEqualTo("{\"Op\":0,\"Addr\":\"h:1\",\"Metadata\":null}");
    ServiceInstance odd = new ServiceInstance(KEY, "h:1", Map.of("a\"<&>", "ü\n"));
    assertThat(parse(odd.toJson())).isEqualTo(odd);
    assertThatThrownBy(() -> new ServiceInstance(KEY, "h", Map.of())).hasMessage("not HOST:PORT: h");
  }
}
