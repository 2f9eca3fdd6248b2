package io.kvorum.server.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.server.metrics.MetricsText;
import io.netty.handler.codec.http.QueryStringDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HealthEndpointsTest {
  private static final class Member implements HealthSource {
    private List<String> alarms = List.of();
    private boolean leader = true;
    private boolean learner;
    private String local;
    private String linearizable;

    @Override
    public List<String> alarms() {
      return alarms;
    }

    @Override
    public boolean hasLeader() {
      return leader;
    }

    @Override
    public boolean isLearner() {
      return learner;
    }

    @Override
    public String serializableRead() {
      return local;
    }

    @Override
    public void linearizableRead(Consumer<String> outcome) {
      outcome.accept(linearizable);
    }
  }

  private final Member member = new Member();

  private HttpResponse ask(String method, String uri) {
    HttpRoutes routes = new HttpRoutes();
    new HealthEndpoints(member).install(routes);
    List<HttpResponse> answers = new ArrayList<>();
    QueryStringDecoder decoded = new QueryStringDecoder(uri);
    routes.handle(new HttpRequest(method, decoded.path(), decoded.parameters(), Map.of(), new byte[0], false), answers::add);
    assertThat(answers).hasSize(1);
    return answers.getFirst();
  }

  private static String body(HttpResponse response) {
    return new String(response.body(), StandardCharsets.UTF_8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "none | /health | 200 | true |",
        "nospace | /health | 503 | false | ALARM NOSPACE",
        "nospace | /health?exclude=NOSPACE | 200 | true |",
        "corrupt | /health?exclude=NOSPACE | 503 | false | ALARM CORRUPT",
        "no leader | /health | 503 | false | RAFT NO LEADER",
        "no leader | /health?serializable=true | 200 | true |",
        "no quorum | /health | 503 | false | RANGE ERROR:etcdserver: request timed out",
        "no quorum | /health?serializable=true | 200 | true |",
      })
  void health(String state, String uri, int status, String health, String reason) {
    set(state);
    HttpResponse response = ask("GET", uri);
    assertThat(response.status()).isEqualTo(status);
    assertThat(body(response).strip()).isEqualTo("{\"health\":\"" + health + "\",\"reason\":\"" + (reason == null ? "" : reason) + "\"}");
    assertThat(body(response).endsWith("\n")).isEqualTo(status == 503);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "none | /livez | 200",
        "no leader | /livez | 200",
        "no quorum | /livez | 200",
        "broken store | /livez | 503",
        "none | /readyz | 200",
        "nospace | /readyz | 200",
        "corrupt | /readyz | 503",
        "corrupt | /readyz?exclude=data_corruption | 200",
        "corrupt | /livez | 200",
        "no quorum | /readyz | 503",
        "no quorum | /readyz?exclude=linearizable_read | 200",
        "no quorum | /readyz/linearizable_read | 503",
        "no quorum | /readyz/serializable_read | 200",
        "learner | /readyz | 503",
        "learner | /readyz/non_learner | 503",
        "none | /readyz?exclude=unknown | 200",
        "none | /readyz/unknown | 404",
      })
  void livez_and_readyz(String state, String uri, int status) {
    set(state);
    HttpResponse response = ask("GET", uri);
    assertThat(response.status()).isEqualTo(status);
    if (status == 200) {
      assertThat(body(response)).isEqualTo("ok\n");
    }
  }

  private void set(String state) {
    switch (state) {
      case "nospace" -> member.alarms = List.of("NOSPACE");
      case "corrupt" -> member.alarms = List.of("CORRUPT");
      case "no leader" -> member.leader = false;
      case "no quorum" -> member.linearizable = "etcdserver: request timed out";
      case "learner" -> member.learner = true;
      case "broken store" -> member.local = "broken";
      default -> assertThat(state).isEqualTo("none");
    }
  }

  @Test
  void verbose_and_failing_answers_list_the_checks() {
    assertThat(body(ask("GET", "/readyz?verbose")))
        .isEqualTo("[+]data_corruption ok\n[+]serializable_read ok\n[+]linearizable_read ok\n[+]non_learner ok\nok\n");
    member.linearizable = "why";
    assertThat(body(ask("GET", "/readyz"))).contains("[-]linearizable_read failed: why\n").contains("[+]non_learner ok\n").doesNotContain("\nok\n");
  }

  @Test
  void other_methods_are_refused() {
    for (String path : List.of("/health", "/livez", "/readyz")) {
      HttpResponse response = ask("POST", path);
      assertThat(response.status()).isEqualTo(405);
      assertThat(response.headers()).containsEntry("Allow", "GET");
    }
  }

  @Test
  void the_counters_appear_in_the_metrics() {
    HealthEndpoints endpoints = new HealthEndpoints(member);
    HttpRoutes routes = new HttpRoutes();
    endpoints.install(routes);
    for (String path : List.of("/health", "/health", "/readyz")) {
      routes.handle(new HttpRequest("GET", path, Map.of(), Map.of(), new byte[0], false), any -> {});
    }
    MetricsText text = new MetricsText();
    endpoints.collect(text);
    assertThat(text.toString())
        .contains("# TYPE etcd_server_health_success counter\netcd_server_health_success 2\n")
        .contains("etcd_server_healthcheck{name=\"non_learner\",type=\"readyz\"} 1\n")
        .containsOnlyOnce("# TYPE etcd_server_healthchecks_total counter")
        .contains("etcd_server_healthchecks_total{name=\"linearizable_read\",status=\"success\",type=\"readyz\"} 1\n");
  }
}
