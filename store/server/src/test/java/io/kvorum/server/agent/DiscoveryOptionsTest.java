package io.kvorum.server.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.server.agent.registration.RegistrationSettings;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** Options of registration and DNS. */
class DiscoveryOptionsTest {
  private static final Map<String, String> POD = Map.of("POD_NAME", "web-0", "POD_IP", "10.0.0.1");

  private static DiscoverySettings settings(Map<String, String> environment, String... options) throws IOException {
    CommandLine line = AgentCommand.line(environment, new CompletableFuture<>());
    line.parseArgs(Stream.concat(Stream.of("--endpoints=a:1"), Arrays.stream(options)).toArray(String[]::new));
    AgentCommand command = line.getCommand();
    return command.settings().discovery();
  }

  @Test
  void nothing_is_registered_and_no_dns_served_unless_asked_for() throws IOException {
    DiscoverySettings settings = settings(POD);
    assertThat(settings.registration()).isNull();
    assertThat(settings.dnsListen()).isEmpty();
    assertThat(settings.controlSocket()).isEqualTo(Path.of(System.getProperty("java.io.tmpdir"), "kvorum-agent.sock"));
  }

  @Test
  void a_pod_knows_its_name_and_address() throws IOException {
    RegistrationSettings settings = settings(POD, "--register=web", "--register-port=8080").registration();
    assertThat(settings.key().toStringUtf8()).isEqualTo("services/web/web-0");
    assertThat(settings.endpoint().toJson()).isEqualTo("{\"Op\":0,\"Addr\":\"10.0.0.1:8080\",\"Metadata\":null}");
    assertThat(settings.readiness()).isEqualTo("tcp://10.0.0.1:8080");
    assertThat(settings.ttlSeconds()).isEqualTo(10);
    assertThat(settings.period()).isEqualTo(Duration.ofSeconds(1));
    RegistrationSettings labelled = settings(POD, "--register=web", "--register-port=80", "--register-metadata=zone=", "--register-metadata=a=b=c").registration();
    assertThat(labelled.endpoint().metadata()).containsExactly(Map.entry("a", "b=c"));
    RegistrationSettings six = settings(Map.of("POD_NAME", "web-0", "POD_IP", "fd00::1"), "--register=web", "--register-port=80").registration();
    assertThat(six.endpoint().address()).isEqualTo("[fd00::1]:80");
    assertThat(six.readiness()).isEqualTo("tcp://[fd00::1]:80");
  }

  @Test
  void each_option_counts_also_from_the_environment() throws IOException {
    DiscoverySettings settings =
        settings(
            Map.of("KVORUM_AGENT_REGISTER_METADATA", "zone=a,weight=5", "KVORUM_AGENT_CONTROL_SOCKET", "/run/x.sock", "KVORUM_AGENT_DNS_DOMAIN", "svc.Example"),
            "--register=web", "--register-name=i", "--register-address=db.example.com:5432", "--register-prefix=/my/names", "--register-ttl=3",
            "--readiness=grpc://127.0.0.1:9000/s", "--readiness-period=250ms", "--dns-listen=127.0.0.1:5353,[::1]:5353");
    assertThat(settings.registration().key().toStringUtf8()).isEqualTo("/my/names/web/i");
    assertThat(settings.registration().endpoint().metadata()).containsExactly(Map.entry("weight", "5"), Map.entry("zone", "a"));
    assertThat(settings.registration().ttlSeconds()).isEqualTo(3);
    assertThat(settings.registration().readiness()).isEqualTo("grpc://127.0.0.1:9000/s");
    assertThat(settings.registration().period()).isEqualTo(Duration.ofMillis(250));
    assertThat(settings.controlSocket()).isEqualTo(Path.of("/run/x.sock"));
    assertThat(settings.dnsListen()).containsExactly(new InetSocketAddress("127.0.0.1", 5353), new InetSocketAddress("::1", 5353));
    assertThat(settings.dnsDomain()).isEqualTo("svc.Example");
    assertThat(settings(POD, "--register=web", "--register-address=db.example.com:5432").registration().readiness()).isEqualTo("none");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "--register=web | --register needs either --register-address or --register-port",
    "--register=web --register-port=80 --register-address=a:1 | --register needs either --register-address or --register-port",
    "--register-port=80 | --register: the name of the service is missing",
    "--register=a/b --register-port=80 | --register=a/b is no service name: 1 to 253 bytes without a slash",
    "--register=web --register-port=0 | --register-port=0 is not a port from 1 to 65535",
    "--register=web --register-address=10.0.0.1 | --register-address=10.0.0.1 is not HOST:PORT",
    "--register=web --register-address=fd00::1:80 | --register-address=fd00::1:80 is not HOST:PORT",
    "--register=web --register-port=80 --register-ttl=0 | --register-ttl is from 1 to 3600 seconds",
    "--register=web --register-port=80 --readiness-period=1ms | --readiness-period is from 100ms to 60s",
    "--dns-listen=0.0.0.0:53 | --dns-listen=0.0.0.0:53 is no loopback address",
    "--dns-listen=localhost | --dns-listen=localhost is not ADDRESS:PORT",
    "--dns-listen=127.0.0.1:70000 | --dns-listen=127.0.0.1:70000 is not ADDRESS:PORT",
    "--dns-domain=-x. | --dns-domain=-x. is no domain name of at most 120 characters",
  })
  void what_cannot_be_is_refused(String options, String words) {
    assertThatThrownBy(() -> settings(POD, options.split(" "))).isInstanceOf(IOException.class).hasMessage(words);
  }

  @Test
  void a_pod_that_does_not_know_itself_is_not_registered() {
    assertThatThrownBy(() -> settings(Map.of(), "--register=web", "--register-port=80")).hasMessage("--register-port needs the pod's address in $POD_IP");
    assertThatThrownBy(() -> settings(Map.of(), "--register=web", "--register-address=10.0.0.1:80"))
        .hasMessage("--register needs --register-name, or the name of the pod in $POD_NAME");
  }
}
