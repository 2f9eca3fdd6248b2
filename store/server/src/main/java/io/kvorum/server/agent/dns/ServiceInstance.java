package io.kvorum.server.agent.dns;

import io.kvorum.server.agent.registration.Endpoint;
import java.net.InetAddress;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;

/**
 * One registered instance, as DNS can tell of it.
 *
 * @param name of the instance in lower case: the last part of its key
 * @param host address or name that it registered
 * @param address of a literal host; empty when the host is a name
 * @param port 0 when it registered none
 * @param priority of SRV records, from the metadata {@code priority}, 0 to 65535, default 0: the lowest is taken first
 * @param weight of SRV records, from the metadata {@code weight}, 0 to 65535, default 1
 */
public record ServiceInstance(String name, String host, Optional<InetAddress> address, int port, int priority, int weight) {
  private static final int NUMBER_MAX = 65_535;

  /**
   * Reads an entry.
   *
   * @return empty when the address is neither HOST nor HOST:PORT with an address or a name
   */
  static Optional<ServiceInstance> of(String instance, Endpoint endpoint) {
    String address = endpoint.address();
    int colon = address.lastIndexOf(':');
    boolean bare = colon < 0 || address.endsWith("]") || (address.indexOf(':') != colon && !address.startsWith("["));
    String host = unbracketed(bare ? address : address.substring(0, colon));
    int port = bare ? 0 : number(address.substring(colon + 1), -1);
    Optional<InetAddress> literal = literal(host);
    if (port < 0 || (literal.isEmpty() && !DnsNames.isHostName(host))) {
      return Optional.empty();
    }
    SortedMap<String, String> metadata = endpoint.metadata();
    int priority = number(metadata.getOrDefault("priority", ""), 0);
    int weight = number(metadata.getOrDefault("weight", ""), 1);
    return Optional.of(new ServiceInstance(instance.toLowerCase(Locale.ROOT), host, literal, port, priority, weight));
  }

  private static String unbracketed(String host) {
    return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
  }

  private static Optional<InetAddress> literal(String host) {
    try {
      return host.indexOf('%') >= 0 ? Optional.empty() : Optional.of(InetAddress.ofLiteral(host));
    } catch (IllegalArgumentException name) {
      return Optional.empty();
    }
  }

  private static int number(String text, int otherwise) {
    if (!text.matches("[0-9]{1,5}")) {
      return otherwise;
    }
    int number = Integer.parseInt(text);
    return number <= NUMBER_MAX ? number : otherwise;
  }

  /** The label of its own name below the service's: its name where that is a label, else its address in hexadecimal digits, {@code ip-0a000001}. */
  String label() {
    return DnsNames.isLabel(name) ? name : addressLabel();
  }

  /** Empty for an instance without an address. */
  String addressLabel() {
    return address.map(known -> "ip-" + java.util.HexFormat.of().formatHex(known.getAddress())).orElse("");
  }
}
