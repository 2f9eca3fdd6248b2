package io.kvorum.server.agent.upstream;

import java.util.ArrayList;
import java.util.List;

/**
 * Where one member listens for clients.
 *
 * @param host name or address, without brackets
 * @param port 1 to 65535
 * @param secure whether connections are encrypted
 */
public record Address(String host, int port, boolean secure) {
  private static final int PORT_MAX = 65_535;

  /**
   * Addresses as etcdctl takes them: {@code HOST:PORT}, {@code http://HOST:PORT} or {@code https://HOST:PORT}.
   *
   * @param secureByDefault those without a scheme
   * @throws IllegalArgumentException for what is none, and for none at all
   */
  public static List<Address> parse(List<String> endpoints, boolean secureByDefault) {
    List<Address> addresses = new ArrayList<>();
    for (String endpoint : endpoints) {
      if (!endpoint.isBlank()) {
        addresses.add(one(endpoint.strip(), secureByDefault));
      }
    }
    if (addresses.isEmpty()) {
      throw new IllegalArgumentException("--endpoints: no endpoint is given");
    }
    return List.copyOf(addresses);
  }

  private static Address one(String endpoint, boolean secureByDefault) {
    boolean https = endpoint.startsWith("https://");
    boolean http = endpoint.startsWith("http://");
    if (!https && !http && endpoint.contains("://")) {
      throw new IllegalArgumentException("--endpoints: " + "\"" + endpoint + "\"" + " is neither http nor https");
    }
    String rest = https || http ? endpoint.substring(endpoint.indexOf("://") + "://".length()) : endpoint;
    int colon = rest.lastIndexOf(':');
    String host = colon < 0 ? "" : rest.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    int port = colon < 0 ? 0 : port(rest.substring(colon + 1));
    if (host.isEmpty() || port == 0) {
      throw new IllegalArgumentException("--endpoints: " + "\"" + endpoint + "\"" + " is not of the form HOST:PORT");
    }
    return new Address(host, port, https || !http && secureByDefault);
  }

  /** 0 for none. */
  private static int port(String text) {
    try {
      int port = Integer.parseInt(text);
      return port > 0 && port <= PORT_MAX ? port : 0;
    } catch (NumberFormatException none) {
      return 0;
    }
  }

  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
