package io.kvorum.server.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Metadata;
import io.kvorum.server.agent.upstream.Address;
import io.kvorum.server.agent.upstream.Credentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** What an agent may be told, and in which words it refuses the rest. */
class AgentOptionsTest {
  @TempDir Path temp;

  private static AgentSettings settings(Map<String, String> environment, String... options) throws IOException {
    CommandLine line = AgentCommand.line(environment, new CompletableFuture<>());
    line.parseArgs(options);
    AgentCommand command = line.getCommand();
    return command.settings();
  }

  @Test
  void what_is_not_given_comes_from_the_environment_and_then_from_the_defaults() throws IOException {
    Map<String, String> environment =
        Map.of(
            "KVORUM_AGENT_ENDPOINTS", "a:1,http://b:2,https://[::1]:3", "KVORUM_AGENT_DIAL_TIMEOUT", "250ms", "KVORUM_AGENT_ALLOWED_UIDS", "0,4000000000",
            "KVORUM_AGENT_INSECURE_TRANSPORT", "false");
    AgentSettings settings = settings(environment, "--dial-timeout=1s");
    assertThat(settings.upstream().members()).containsExactly(new Address("a", 1, true), new Address("b", 2, false), new Address("::1", 3, true));
    assertThat(settings.upstream().dialTimeout()).isEqualTo(Duration.ofSeconds(1));
    assertThat(settings.local().allowedUids()).containsExactlyInAnyOrder(0, (int) 4_000_000_000L);
    assertThat(settings.local().clientUrls()).containsExactly("http://127.0.0.1:2379");
    assertThat(settings.local().metricsUrls()).isEmpty();
    assertThat(settings.upstream().credentials()).isEqualTo(new Credentials.Nobody());
  }

  @Test
  void a_password_is_read_from_its_file_and_never_shown() throws IOException {
    Path file = Files.writeString(temp.resolve("password"), "s3cret\n");
    AgentSettings settings = settings(Map.of(), "--endpoints=a:1", "--user=agent:shop:web", "--password-file=" + file);
    Credentials.User user = (Credentials.User) settings.upstream().credentials();
    assertThat(user.name()).isEqualTo("agent:shop:web");
    assertThat(user.password().read()).isEqualTo("s3cret");
    Files.writeString(file, "other");
    assertThat(user.password().read()).isEqualTo("other");
    AgentSettings open = settings(Map.of(), "--endpoints=a:1", "--user=u:p:q");
    assertThat(((Credentials.User) open.upstream().credentials()).password().read()).isEqualTo("p:q");
    assertThat(settings.toString() + open).doesNotContain("p:q", "other", "s3cret");
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', value = {
    "--listen-client-urls=http://0.0.0.0:2379 | --listen-client-urls: http://0.0.0.0:2379 is not a loopback address; the agent serves its own pod alone",
    "--listen-client-urls=http://10.0.0.1:2379 | --listen-client-urls: http://10.0.0.1:2379 is not a loopback address; the agent serves its own pod alone",
    "--listen-client-urls=http://example.com:2379 | --listen-client-urls: http://example.com:2379 is not a loopback address; the agent serves its own pod alone",
    "--listen-client-urls=https://127.0.0.1:2379 | --listen-client-urls: https://127.0.0.1:2379: the agent serves no TLS; what it listens on does not leave the machine",
    "--listen-client-urls=127.0.0.1:2379 | --listen-client-urls: parse \"127.0.0.1:2379\": Illegal character in scheme name",
    "--allowed-uids=root | --allowed-uids: \"root\" is not a user id",
    "--endpoints=nowhere | --endpoints: \"nowhere\" is not of the form HOST:PORT",
    "--endpoints=ftp://a:1 | --endpoints: \"ftp://a:1\" is neither http nor https",
    "--endpoints=a:0 | --endpoints: \"a:0\" is not of the form HOST:PORT",
    "--user=u | --user needs one of --password and --password-file",
    "--password=p | a password needs --user",
    "--cert=c | --cert and --key belong together",
  })
  void what_cannot_be_is_refused(String option, String words) {
    String[] options = option.startsWith("--endpoints") ? new String[] {option} : new String[] {"--endpoints=a:1", option};
    assertThatThrownBy(() -> settings(Map.of(), options)).isInstanceOf(IOException.class).hasMessage(words);
  }

  @Test
  void credentials_and_what_belongs_to_the_connection_are_not_passed_on() {
    Metadata headers = new Metadata();
    for (String name : List.of("token", "authorization", "user-agent", "grpc-accept-encoding", "grpcgateway-accept", "hasleader", "client-api-version")) {
      headers.put(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER), "x");
    }
    for (String name : List.of("kvorum-caller-name-bin", "own-bin")) {
      headers.put(Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER), new byte[] {1});
    }
    assertThat(Forwarding.forUpstream(headers).keys()).containsExactlyInAnyOrder("hasleader", "client-api-version", "own-bin");
    assertThat(headers.keys()).hasSize(9);
  }
}
