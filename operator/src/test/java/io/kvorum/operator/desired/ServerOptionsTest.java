package io.kvorum.operator.desired;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ServerOptionsTest {
  private static ServerOptions options(Map<String, String> values) {
    return new ServerOptions(new TreeMap<>(values));
  }

  @Test
  void flags_of_tls_stand_in_their_sections_under_the_names_that_the_file_has() {
    ServerOptions options =
        options(Map.of("name", "a", "cert-file", "/c.crt", "peer-cert-file", "/p.crt", "peer-client-cert-auth", "true", "quota-backend-bytes", "10"));

    assertThat(options.file())
        .isEqualTo(
            """
            name: 'a'
            quota-backend-bytes: 10
            client-transport-security:
              cert-file: '/c.crt'
            peer-transport-security:
              cert-file: '/p.crt'
              client-cert-auth: true
            """);
  }

  @Test
  void a_quote_in_a_value_stays_a_quote() {
    assertThat(options(Map.of("name", "it's")).file()).isEqualTo("name: 'it''s'\n");
  }

  @Test
  void the_hash_is_that_of_sorted_lines_and_knows_no_empty_value() {
    assertThat(options(Map.of("b", "2", "a", "1", "c", "")).hash()).isEqualTo(ServerOptions.sha256("a=1\nb=2\n"));
    assertThat(ServerOptions.sha256("")).isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  }
}
