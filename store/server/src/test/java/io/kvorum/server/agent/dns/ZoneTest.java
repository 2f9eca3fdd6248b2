package io.kvorum.server.agent.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.kvorum.server.agent.registration.Endpoint;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Questions and answers, without a socket. */
class ZoneTest {
  private final ServiceMap table = new ServiceMap("services/");
  private final Zone zone = new Zone("services.kvorum.local.", table, new Random(1));

  private void put(String place, String address, Map<String, String> metadata) {
    table.put(ByteString.copyFromUtf8("services/" + place), ByteString.copyFromUtf8(new Endpoint(address, metadata).toJson()));
    table.reached(7);
  }

  private static List<String> data(List<Resource> resources) {
    return resources.stream().map(resource -> resource.owner() + " " + HexFormat.of().formatHex(resource.data())).toList();
  }

  private static String srv(int priority, int weight, int port, String target) {
    return "@. " + String.format("%04x%04x%04x", priority, weight, port) + HexFormat.of().formatHex(DnsNames.wire(target));
  }

  private Answer ask(String name, int type) {
    return zone.answer(name, type);
  }

  @Test
  void addresses_are_told_by_family() {
    put("web/a", "10.0.0.1:80", Map.of());
    put("web/b", "10.0.0.2:80", Map.of());
    put("web/c", "[fd00::1]:80", Map.of());
    assertThat(data(ask("web.services.kvorum.local.", Resource.A).answers())).containsExactlyInAnyOrder("@. 0a000001", "@. 0a000002");
    assertThat(data(ask("WEB.Services.KVORUM.local", Resource.AAAA).answers())).containsExactly("@. fd000000000000000000000000000001");
    assertThat(data(ask("b.web.services.kvorum.local.", Resource.A).answers())).containsExactly("@. 0a000002");
    assertThat(ask("web.services.kvorum.local.", Resource.A).authoritative()).isTrue();
  }

  @Test
  void srv_has_priority_weight_port_target_and_the_targets_address() {
    put("web/a", "10.0.0.1:8080", Map.of("weight", "30", "priority", "2"));
    for (String name : List.of("web.services.kvorum.local.", "_web._tcp.services.kvorum.local.")) {
      Answer answer = ask(name, Resource.SRV);
      assertThat(data(answer.answers())).containsExactly(srv(2, 30, 8080, "a.web.services.kvorum.local."));
      assertThat(data(answer.additional())).containsExactly("a.web.services.kvorum.local. 0a000001");
    }
  }

  @Test
  void weights_that_are_none_count_as_one() {
    for (String weight : List.of("", "-1", "many", "65536", "1e3")) {
      put("web/a", "10.0.0.1:80", Map.of("weight", weight));
      assertThat(data(ask("web.services.kvorum.local.", Resource.SRV).answers())).containsExactly(srv(0, 1, 80, "a.web.services.kvorum.local."));
    }
  }

  @Test
  void a_host_name_is_a_target_and_has_no_address_here() {
    put("db/primary", "db.example.com:5432", Map.of());
    Answer answer = ask("db.services.kvorum.local.", Resource.SRV);
    assertThat(data(answer.answers())).containsExactly(srv(0, 1, 5432, "db.example.com."));
    assertThat(answer.additional()).isEmpty();
    assertNothing(ask("db.services.kvorum.local.", Resource.A), Answer.NO_ERROR);
    assertNothing(ask("primary.db.services.kvorum.local.", Resource.A), Answer.NO_ERROR);
  }

  @Test
  void an_instance_whose_name_is_no_label_goes_by_its_address() {
    put("web/pod.with.dots", "10.0.0.1:80", Map.of());
    put("web/pod_" + "x".repeat(70), "[fd00::1]:80", Map.of());
    List<String> targets = data(ask("web.services.kvorum.local.", Resource.SRV).answers());
    assertThat(targets).containsExactlyInAnyOrder(
        srv(0, 1, 80, "ip-0a000001.web.services.kvorum.local."), srv(0, 1, 80, "ip-fd000000000000000000000000000001.web.services.kvorum.local."));
    assertThat(data(ask("ip-0a000001.web.services.kvorum.local.", Resource.A).answers())).containsExactly("@. 0a000001");
    assertNothing(ask("ip-0a000001.web.services.kvorum.local.", Resource.AAAA), Answer.NO_ERROR);
  }

  @Test
  void services_that_no_name_can_have_are_passed_over() {
    for (String service : List.of("with.dot", "-dash", "_tcp", "", "ü", "x".repeat(63), "sp ace")) {
      assertThat(table.put(ByteString.copyFromUtf8("services/" + service + "/a"), ByteString.copyFromUtf8(new Endpoint("10.0.0.1:80", Map.of()).toJson()))).isFalse();
    }
    assertThat(table.services()).isZero();
  }

  private static void assertNothing(Answer answer, int code) {
    assertThat(answer.code()).isEqualTo(code);
    assertThat(answer.answers()).isEmpty();
    assertThat(answer.authority()).hasSize(1);
    assertThat(answer.authority().getFirst().type()).isEqualTo(Resource.SOA);
    assertThat(answer.authority().getFirst().owner()).isEqualTo("services.kvorum.local.");
    assertThat(answer.authoritative()).isTrue();
  }

  @Test
  void what_is_not_there_is_told_with_the_zones_authority() {
    put("web/a", "10.0.0.1:80", Map.of());
    int txt = 16;
    assertNothing(ask("none.services.kvorum.local.", Resource.A), Answer.NAME_ERROR);
    assertNothing(ask("none.web.services.kvorum.local.", Resource.A), Answer.NAME_ERROR);
    assertNothing(ask("x.y.web.services.kvorum.local.", Resource.A), Answer.NAME_ERROR);
    assertNothing(ask("_none._tcp.services.kvorum.local.", Resource.SRV), Answer.NAME_ERROR);
    assertNothing(ask("web._tcp.services.kvorum.local.", Resource.SRV), Answer.NAME_ERROR);
    assertNothing(ask("web.services.kvorum.local.", Resource.AAAA), Answer.NO_ERROR);
    assertNothing(ask("web.services.kvorum.local.", txt), Answer.NO_ERROR);
    assertNothing(ask("_web._tcp.services.kvorum.local.", Resource.A), Answer.NO_ERROR);
    assertNothing(ask("_tcp.services.kvorum.local.", Resource.A), Answer.NO_ERROR);
    assertNothing(ask("services.kvorum.local.", Resource.A), Answer.NO_ERROR);
    assertThat(ask("services.kvorum.local.", Resource.SOA).answers()).hasSize(1);
    assertThat(ask("services.kvorum.local.", Resource.NS).answers()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"example.com.", "kvorum.local.", "local.", ".", "", "webservices.kvorum.local.", "web.services.kvorum.local.example."})
  void other_names_are_refused(String name) {
    put("web/a", "10.0.0.1:80", Map.of());
    assertThat(ask(name, Resource.A)).isEqualTo(Answer.failure(Answer.REFUSED));
  }

  @Test
  void before_anything_is_known_the_server_fails_and_does_not_deny() {
    assertThat(ask("web.services.kvorum.local.", Resource.A)).isEqualTo(Answer.failure(Answer.SERVER_FAILURE));
    put("web/a", "10.0.0.1:80", Map.of());
    table.forget();
    assertThat(ask("web.services.kvorum.local.", Resource.A)).isEqualTo(Answer.failure(Answer.SERVER_FAILURE));
  }

  @Test
  void each_instance_comes_first_at_some_time() {
    for (int i = 0; i < 5; i++) {
      put("web/" + i, "10.0.0." + i + ":80", Map.of());
    }
    List<String> firsts = java.util.stream.IntStream.range(0, 200).mapToObj(i -> data(ask("web.services.kvorum.local.", Resource.A).answers()).getFirst()).distinct().toList();
    assertThat(firsts).hasSize(5);
  }

  @Test
  void instances_that_share_an_address_have_it_told_once() {
    put("web/a", "10.0.0.1:80", Map.of());
    put("web/b", "10.0.0.1:81", Map.of());
    assertThat(ask("web.services.kvorum.local.", Resource.A).answers()).hasSize(1);
    assertThat(ask("web.services.kvorum.local.", Resource.SRV).answers()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"unix:///run/x.sock", "http://10.0.0.1:80", "10.0.0.1:http", "10.0.0.1:99999", "10.0.0.999:1", ":80", "a b:80", "[fd00::1%eth0]:80", "-x:1"})
  void addresses_that_dns_cannot_tell_are_passed_over(String address) {
    assertThat(ServiceInstance.of("a", new Endpoint(address, Map.of()))).isEmpty();
  }

  @Test
  void addresses_may_lack_a_port() {
    put("web/a", "10.0.0.1", Map.of());
    put("web/b", "fd00::2", Map.of());
    assertThat(ask("web.services.kvorum.local.", Resource.A).answers()).hasSize(1);
    assertThat(ask("web.services.kvorum.local.", Resource.AAAA).answers()).hasSize(1);
    assertNothing(ask("web.services.kvorum.local.", Resource.SRV), Answer.NO_ERROR);
  }

  @Test
  void domains_are_checked() {
    assertThat(DnsNames.domain("Services.Example")).isEqualTo("services.example.");
    for (String wrong : List.of("", ".", "a..b", "-a.b", "x".repeat(63), "ab.".repeat(50))) {
      assertThatThrownBy(() -> DnsNames.domain(wrong)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("--dns-domain=");
    }
  }

  @Test
  void an_answer_that_does_not_fit_loses_targets_addresses_first_and_says_so_when_more_is_lost() {
    for (int i = 0; i < 10; i++) {
      put("web/" + i, "10.0.0." + i + ":80", Map.of());
    }
    Answer whole = ask("web.services.kvorum.local.", Resource.SRV);
    int answers = whole.answers().stream().mapToInt(Resource::size).sum();
    int all = answers + whole.additional().stream().mapToInt(Resource::size).sum();
    assertThat(whole.fitting(all)).isEqualTo(whole);
    Answer less = whole.fitting(all - 1);
    assertThat(less.additional()).hasSize(9);
    assertThat(less.answers()).hasSize(10);
    assertThat(less.truncated()).isFalse();
    assertThat(whole.fitting(answers).additional()).isEmpty();
    Answer cut = whole.fitting(answers - 1);
    assertThat(cut.truncated()).isTrue();
    assertThat(cut.answers()).hasSize(9);
  }
}
