package io.kvorum.server.agent;

import io.kvorum.server.config.Urls;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Option;

/** What is served here, and whom. */
final class LocalOptions {
  @Option(
      names = "--listen-client-urls", split = ",", paramLabel = "URL", defaultValue = "http://127.0.0.1:2379",
      description = "where callers are served: http on loopback addresses, or unix sockets (default: ${DEFAULT-VALUE})")
  private List<String> clientUrls;

  @Option(
      names = "--listen-metrics-urls", split = ",", paramLabel = "URL",
      description = "where /livez, /readyz, /health and /metrics are served as well, to everybody: http, any address (default: nowhere)")
  private List<String> metricsUrls = List.of();

  @Option(
      names = "--allowed-uids", split = ",", paramLabel = "UID",
      description = "users whose processes are served, as this process's user namespace counts (default: all that reach the listening address)")
  private List<String> uids = List.of();

  @Option(
      names = "--local-token-file", paramLabel = "FILE",
      description = "holds the tokens that let callers in, one a line; looked at every second (default: callers need none)")
  private Path tokenFile;

  /**
   * What they say.
   *
   * @throws IOException for an address that others could reach, or what is no address or user id
   */
  LocalSettings settings() throws IOException {
    List<String> listen = urls("--listen-client-urls", clientUrls);
    if (listen.isEmpty()) {
      throw new IOException("--listen-client-urls: no URL is given");
    }
    for (String url : listen) {
      if (!Urls.isUnix(url) && !isLoopback(Urls.host(url))) {
        throw new IOException("--listen-client-urls: " + url + " is not a loopback address; the agent serves its own pod alone");
      }
    }
    return new LocalSettings(listen, urls("--listen-metrics-urls", metricsUrls), ids(), tokenFile);
  }

  private static List<String> urls(String option, List<String> given) throws IOException {
    List<String> urls;
    try {
      urls = given.isEmpty() || given.equals(List.of("")) ? List.of() : Urls.parse(String.join(",", given));
    } catch (IllegalArgumentException wrong) {
      throw new IOException(option + ": " + wrong.getMessage(), wrong);
    }
    for (String url : urls) {
      if (Urls.isTls(url)) {
        throw new IOException(option + ": " + url + ": the agent serves no TLS; what it listens on does not leave the machine");
      }
      if (!Urls.isUnix(url) && Urls.port(url) < 0) {
        throw new IOException(option + ": " + url + " has no port from 0 to 65535");
      }
    }
    return urls;
  }

  private static boolean isLoopback(String host) {
    try {
      return host.equals("localhost") || InetAddress.ofLiteral(host).isLoopbackAddress();
    } catch (IllegalArgumentException aName) {
      return false;
    }
  }

  /** Null for all. */
  private Set<Integer> ids() throws IOException {
    if (uids.isEmpty()) {
      return null;
    }
    List<Integer> ids = new ArrayList<>();
    for (String uid : uids) {
      try {
        ids.add(Integer.parseUnsignedInt(uid.strip()));
      } catch (NumberFormatException none) {
        throw new IOException("--allowed-uids: \"" + uid + "\" is not a user id", none);
      }
    }
    return Set.copyOf(new java.util.HashSet<>(ids));
  }
}
