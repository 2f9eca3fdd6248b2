package io.kvorum.server.front;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AccessRulesTest {
  private static HttpResponse ask(List<String> origins, List<String> hosts, boolean secure, String path, Map<String, String> headers) {
    List<HttpResponse> answers = new ArrayList<>();
    HttpHandler shown = (request, responder) -> responder.respond(HttpResponse.ok(HttpResponse.PLAIN, request.path()));
    new AccessRules(origins, hosts, shown).handle(new HttpRequest("GET", path, Map.of(), headers, new byte[0], secure), answers::add);
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  @ParameterizedTest
  @CsvSource({"good.com,200", "good.com:2379,200", "127.0.0.1:1,200", "[::1]:2379,200", "evil.com,421", "'',421"})
  void only_listed_hosts_are_served_without_tls(String host, int status) {
    List<String> hosts = List.of("good.com", "127.0.0.1", "::1");
    assertThat(ask(List.of("*"), hosts, false, "/health", Map.of("host", host)).status()).isEqualTo(status);
    assertThat(ask(List.of("*"), hosts, true, "/health", Map.of("host", host)).status()).isEqualTo(200);
  }

  @Test
  void the_origin_is_told_when_it_is_allowed() {
    List<String> origins = List.of("http://a:1");
    assertThat(ask(origins, List.of("*"), false, "/", Map.of("origin", "http://a:1")).headers()).containsEntry("Access-Control-Allow-Origin", "http://a:1");
    assertThat(ask(origins, List.of("*"), false, "/", Map.of("origin", "http://b:1")).headers()).doesNotContainKey("Access-Control-Allow-Origin");
    assertThat(ask(List.of("*"), List.of("*"), false, "/", Map.of()).headers()).containsEntry("Access-Control-Allow-Origin", "*");
  }

  @Test
  void the_old_path_is_rewritten() {
    assertThat(ask(List.of("*"), List.of("*"), false, "/v3beta/kv/put", Map.of()).body()).asString().isEqualTo("/v3/kv/put");
  }
}
