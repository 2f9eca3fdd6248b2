package io.kvorum.server.agent.registration;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URISyntaxException;

/** What tells whether the application is ready, as {@code --readiness} names it. */
sealed interface ReadinessTarget {
  /** {@code none}: as long as the agent runs. */
  record Always() implements ReadinessTarget {}

  /**
   * {@code http://ADDRESS:PORT/PATH}: ready at a status from 200 to 399.
   *
   * @param path with the query, begins with a slash
   */
  record Http(InetSocketAddress address, String host, String path) implements ReadinessTarget {}

  /** {@code tcp://ADDRESS:PORT}: ready when it takes connections. */
  record Tcp(InetSocketAddress address) implements ReadinessTarget {}

  /**
   * {@code grpc://ADDRESS:PORT[/SERVICE]}: ready when gRPC's health service says SERVING.
   *
   * @param service empty for the server as a whole
   */
  record Grpc(InetSocketAddress address, String service) implements ReadinessTarget {}

  /**
   * Reads the option. Addresses are literal (or localhost): a probe must not wait for names.
   *
   * @throws IllegalArgumentException with the reason
   */
  static ReadinessTarget parse(String text) {
    if (text.equals("none")) {
      return new Always();
    }
    URI uri;
    try {
      uri = new URI(text);
    } catch (URISyntaxException e) {
      throw unknown(text);
    }
    if (uri.getScheme() == null || uri.getHost() == null || uri.getPort() <= 0 || uri.getPort() > 65_535 || uri.getUserInfo() != null || uri.getFragment() != null) {
      throw unknown(text);
    }
    InetSocketAddress address = new InetSocketAddress(literal(uri.getHost(), text), uri.getPort());
    String path = uri.getRawPath() == null ? "" : uri.getRawPath();
    return switch (uri.getScheme()) {
      case "http" -> new Http(address, uri.getHost() + ":" + uri.getPort(), (path.isEmpty() ? "/" : path) + (uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery()));
      case "tcp" -> {
        if (!path.isEmpty() && !path.equals("/")) {
          throw unknown(text);
        }
        yield new Tcp(address);
      }
      case "grpc" -> new Grpc(address, uri.getPath().isEmpty() ? "" : uri.getPath().substring(1));
      default -> throw unknown(text);
    };
  }

  private static InetAddress literal(String host, String text) {
    if (host.equals("localhost")) {
      return InetAddress.getLoopbackAddress();
    }
    try {
      return InetAddress.ofLiteral(host.startsWith("[") ? host.substring(1, host.length() - 1) : host);
    } catch (IllegalArgumentException e) {
      throw unknown(text);
    }
  }

  private static IllegalArgumentException unknown(String text) {
    return new IllegalArgumentException(
        "--readiness=" + text + " is none of http://ADDRESS:PORT/PATH, tcp://ADDRESS:PORT, grpc://ADDRESS:PORT[/SERVICE] and none, with a literal address");
  }
}
