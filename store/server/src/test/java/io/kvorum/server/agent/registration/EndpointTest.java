package io.kvorum.server.agent.registration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EndpointTest {
  @Test
  void is_written_byte_for_byte_as_go_writes_it() {
    assertThat(new Endpoint("10.0.0.1:8080", Map.of()).toJson()).isEqualTo("{\"Op\":0,\"Addr\":\"10.0.0.1:8080\",\"Metadata\":null}");
    assertThat(new Endpoint("[fd00::1]:80", Map.of("zone", "b", "version", "1.2", "weight", "7")).toJson())
        .isEqualTo("{\"Op\":0,\"Addr\":\"[fd00::1]:80\",\"Metadata\":{\"version\":\"1.2\",\"weight\":\"7\",\"zone\":\"b\"}}");
  }

  /** What Go's encoding/json makes of the same map, printed by it. */
  @Test
  void escapes_as_go_does() {
    Map<String, String> odd = Map.of("a", "<&>'=\"\\/", "b", "\t\n\u0001\u2028é");
    assertThat(new Endpoint("x:1", odd).toJson())
        .isEqualTo("{\"Op\":0,\"Addr\":\"x:1\",\"Metadata\":{\"a\":\"\\u003c\\u0026\\u003e'=\\\"\\\\/\",\"b\":\"\\t\\n\\u0001\\u2028é\"}}");
  }

  @Test
  void reads_what_it_writes() {
    Endpoint endpoint = new Endpoint("db.example.com:5432", Map.of("a", "<&>'=\"\\/", "b", "\t\n\u0001\u2028é"));
    assertThat(Endpoint.parse(endpoint.toJson())).contains(endpoint);
  }

  @Test
  void reads_what_others_write() {
    assertThat(Endpoint.parse("{\"addr\":\"a:1\",\"metadata\":{\"weight\":3,\"on\":true,\"deep\":{\"x\":1},\"no\":null}, \"More\":[1]}"))
        .contains(new Endpoint("a:1", Map.of("weight", "3", "on", "true")));
    assertThat(Endpoint.parse("{\"Op\":1,\"Addr\":\"a:1\",\"Metadata\":\"text\"}")).contains(new Endpoint("a:1", Map.of()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "null", "[]", "text", "{", "{\"Addr\":\"a:1\"} more", "{\"Addr\":7}", "{\"Addr\":\"\"}", "{\"Metadata\":{}}", "{\"Op\":\"0\",\"Addr\":\"a:1\"}", "{Addr:'a:1'}"})
  void skips_what_is_none(String json) {
    assertThat(Endpoint.parse(json)).isEmpty();
  }
}
