package io.kvorum.operator.desired;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The options of one member's process, by flag name, and the configuration file that holds them. What is given there and nowhere else decides how the member
 * runs, so that the hash of it, which the member reports once it has taken the file, tells whether it runs as asked.
 */
public record ServerOptions(SortedMap<String, String> values) {

  private static final Map<String, String> CLIENT_TLS =
      Map.of("cert-file", "cert-file", "key-file", "key-file", "trusted-ca-file", "trusted-ca-file", "client-cert-auth", "client-cert-auth");
  private static final Map<String, String> PEER_TLS =
      Map.of(
          "peer-cert-file", "cert-file", "peer-key-file", "key-file", "peer-trusted-ca-file", "trusted-ca-file", "peer-client-cert-auth",
          "client-cert-auth");
  private static final Set<String> BARE = Set.of("true", "false");

  public ServerOptions {
    values = new TreeMap<>(values);
    values.values().removeIf(String::isEmpty);
  }

  /** The text of the configuration file: YAML, as etcd's --config-file takes it. */
  public String file() {
    StringBuilder text = new StringBuilder();
    values.forEach(
        (name, value) -> {
          if (!CLIENT_TLS.containsKey(name) && !PEER_TLS.containsKey(name)) {
            line(text, "", name, value);
          }
        });
    section(text, "client-transport-security", CLIENT_TLS);
    section(text, "peer-transport-security", PEER_TLS);
    return text.toString();
  }

  private void section(StringBuilder text, String name, Map<String, String> keys) {
    if (keys.keySet().stream().noneMatch(values::containsKey)) {
      return;
    }
    text.append(name).append(":\n");
    new TreeMap<>(keys)
        .forEach(
            (flag, key) -> {
              if (values.containsKey(flag)) {
                line(text, "  ", key, values.get(flag));
              }
            });
  }

  private static void line(StringBuilder text, String indent, String name, String value) {
    boolean bare = BARE.contains(value) || value.matches("[0-9]{1,18}");
    text.append(indent).append(name).append(": ").append(bare ? value : "'" + value.replace("'", "''") + "'").append('\n');
  }

  /** The hash that kvorum.v1.Admin.Describe answers for a member that runs with this file and no other option. */
  public String hash() {
    StringBuilder text = new StringBuilder();
    values.forEach((name, value) -> text.append(name).append('=').append(value).append('\n'));
    return sha256(text.toString());
  }

  /** Lower-case hex SHA-256 of a text in UTF-8. */
  public static String sha256(String text) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
