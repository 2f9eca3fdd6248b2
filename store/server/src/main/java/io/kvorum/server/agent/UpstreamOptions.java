package io.kvorum.server.agent;

import io.kvorum.server.agent.upstream.Address;
import io.kvorum.server.agent.upstream.Credentials;
import io.kvorum.server.agent.upstream.UpstreamSettings;
import io.kvorum.server.config.TlsSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine.Option;

/** The way to the cluster, in etcdctl's words. */
final class UpstreamOptions {
  /** Of the largest heap: one answer, which is held as a whole while it is passed on. */
  private static final int ANSWER_SHARE = 4;

  @Option(names = "--endpoints", required = true, split = ",", paramLabel = "URL", description = "members of the cluster: HOST:PORT, http://HOST:PORT or https://HOST:PORT")
  private List<String> endpoints;

  @Option(names = "--cacert", paramLabel = "FILE", defaultValue = "", description = "whom to trust for https (default: whom the Java runtime trusts)")
  private String caCertificate;

  @Option(names = "--cert", paramLabel = "FILE", defaultValue = "", description = "own certificate for https; read again for each connection")
  private String certificate;

  @Option(names = "--key", paramLabel = "FILE", defaultValue = "", description = "its key")
  private String key;

  @Option(
      names = "--insecure-transport", arity = "0..1", fallbackValue = "true", defaultValue = "true", paramLabel = "BOOL",
      description = "endpoints without a scheme are not encrypted, unless there are TLS options (default: ${DEFAULT-VALUE})")
  private boolean insecureTransport;

  @Option(
      names = "--insecure-skip-tls-verify", arity = "0..1", fallbackValue = "true", defaultValue = "false", paramLabel = "BOOL",
      description = "take any certificate of a member; for tests alone")
  private boolean skipVerify;

  @Option(names = "--user", paramLabel = "NAME[:PASSWORD]", defaultValue = "", description = "user of the cluster")
  private String user;

  @Option(names = "--password", paramLabel = "PASSWORD", defaultValue = "", description = "its password, which other processes of this machine can see: rather a file")
  private String password;

  @Option(names = "--password-file", paramLabel = "FILE", description = "holds its password; read again for each login")
  private Path passwordFile;

  @Option(names = "--auth-jwt-token", paramLabel = "TOKEN", defaultValue = "", description = "a token instead of a user")
  private String token;

  @Option(
      names = "--dial-timeout", paramLabel = "DURATION", defaultValue = "2s", converter = GoDuration.class,
      description = "longest wait of a call for a member that can be reached (default: ${DEFAULT-VALUE})")
  private Duration dialTimeout;

  @Option(
      names = "--command-timeout", paramLabel = "DURATION", defaultValue = "5s", converter = GoDuration.class,
      description = "longest time of a call of the agent's own (default: ${DEFAULT-VALUE})")
  private Duration commandTimeout;

  @Option(
      names = "--keepalive-time", paramLabel = "DURATION", defaultValue = "10s", converter = GoDuration.class,
      description = "a silent member with open calls is pinged after it; at least 10s (default: ${DEFAULT-VALUE})")
  private Duration keepAlive;

  @Option(
      names = "--keepalive-timeout", paramLabel = "DURATION", defaultValue = "6s", converter = GoDuration.class,
      description = "how long it has to answer (default: ${DEFAULT-VALUE})")
  private Duration keepAliveTimeout;

  Duration commandTimeout() {
    return commandTimeout;
  }

  /**
   * What they say.
   *
   * @throws IOException when they contradict each other
   */
  UpstreamSettings settings() throws IOException {
    if (certificate.isEmpty() != key.isEmpty()) {
      throw new IOException("--cert and --key belong together");
    }
    TlsSettings tls =
        new TlsSettings(certificate, key, "", "", caCertificate, "", false, List.of(), List.of(), false, skipVerify, 1, List.of(), "TLS1.2", "");
    boolean secure = !insecureTransport || skipVerify || !caCertificate.isEmpty() || !certificate.isEmpty();
    List<Address> members;
    try {
      members = Address.parse(endpoints, secure);
    } catch (IllegalArgumentException none) {
      throw new IOException(none.getMessage(), none);
    }
    int answerBytes = (int) Math.min(Integer.MAX_VALUE, Runtime.getRuntime().maxMemory() / ANSWER_SHARE);
    return new UpstreamSettings(members, tls, credentials(), dialTimeout, commandTimeout, keepAlive, keepAliveTimeout, answerBytes);
  }

  private Credentials credentials() throws IOException {
    // As in etcdctl: beside a password of its own the name may have colons.
    int colon = password.isEmpty() && passwordFile == null ? user.indexOf(':') : -1;
    String name = colon < 0 ? user : user.substring(0, colon);
    String given = colon < 0 ? password : user.substring(colon + 1);
    if (!token.isEmpty()) {
      if (!user.isEmpty() || !given.isEmpty() || passwordFile != null) {
        throw new IOException("--auth-jwt-token takes the place of --user, --password and --password-file");
      }
      return new Credentials.Bearer(token);
    }
    if (name.isEmpty()) {
      if (!given.isEmpty() || passwordFile != null) {
        throw new IOException("a password needs --user");
      }
      return new Credentials.Nobody();
    }
    if (given.isEmpty() == (passwordFile == null)) {
      throw new IOException("--user needs one of --password and --password-file");
    }
    Credentials.Password source = passwordFile == null ? () -> given : Credentials.Password.in(passwordFile);
    source.read();
    return new Credentials.User(name, source);
  }
}
