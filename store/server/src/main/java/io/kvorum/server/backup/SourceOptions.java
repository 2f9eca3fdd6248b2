package io.kvorum.server.backup;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that say which cluster a backup is taken from, and who asks. */
public final class SourceOptions {
  @Option(names = "--endpoints", split = ",", description = "members' client URLs; of several the follower that lags least is read")
  private List<String> endpoints = List.of();

  @Option(names = "--cacert", description = "authorities to trust instead of the runtime's own")
  private Path caCertificate;

  @Option(names = "--cert", description = "own certificate")
  private Path certificate;

  @Option(names = "--key", description = "its key")
  private Path key;

  @Option(names = "--insecure-skip-tls-verify", description = "trust any server (for tests)")
  private boolean anyServer;

  @Option(names = "--user", description = "a user with the root role")
  private String user;

  @Option(names = "--password-file", description = "holds the user's password")
  private Path passwordFile;

  @Option(names = "--token", description = "a token of such a user, instead of name and password")
  private String token;

  /**
   * Where the members are and who asks.
   *
   * @param endpoints HOST:PORT with or without a scheme; https means TLS
   * @param caCertificate null for whom the runtime trusts
   * @param certificate null for none
   * @param anyServer trusts whoever answers
   * @param user null for none
   * @param token null for none
   */
  record Address(
      List<String> endpoints, Path caCertificate, Path certificate, Path key, boolean anyServer, String user, String password, String token) {
    boolean secure(String endpoint) {
      return endpoint.startsWith("https://") || !endpoint.startsWith("http://") && (caCertificate != null || certificate != null);
    }

    /** Without secrets. */
    @Override
    public String toString() {
      return String.join(",", endpoints);
    }
  }

  /** @throws IllegalArgumentException when the options do not fit together */
  Address address() throws IOException {
    if (endpoints.isEmpty()) {
      throw new IllegalArgumentException("--endpoints is missing");
    }
    if ((certificate == null) != (key == null) || (user == null) != (passwordFile == null) || user != null && token != null) {
      throw new IllegalArgumentException("--cert needs --key, --user needs --password-file, and --token stands instead of both");
    }
    String password = passwordFile == null ? null : Files.readString(passwordFile).strip();
    return new Address(List.copyOf(endpoints), caCertificate, certificate, key, anyServer, user, password, token);
  }
}
