package io.kvorum.server.agent;

import io.kvorum.server.agent.dns.DnsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Where registered services answer to DNS. */
final class DnsOptions {
  private static final int PORT_MAX = 65_535;

  @Option(
      names = "--dns-listen", split = ",", paramLabel = "ADDRESS:PORT",
      description = "where registered services are found by DNS (A, AAAA, SRV; UDP and TCP): loopback addresses, such as 127.0.0.1:53 (default: nowhere)")
  private List<String> listen = List.of();

  @Option(names = "--dns-domain", paramLabel = "DOMAIN", defaultValue = DnsServer.DEFAULT_DOMAIN, description = "below which they are (default: ${DEFAULT-VALUE})")
  private String domain;

  String domain() {
    return domain;
  }

  /**
   * Addresses to listen on; none for no DNS.
   *
   * @throws IOException for what is no address, and for one that others could reach
   */
  List<InetSocketAddress> addresses() throws IOException {
    List<InetSocketAddress> addresses = new ArrayList<>();
    for (String text : listen) {
      if (!text.isEmpty()) {
        addresses.add(address(text));
      }
    }
    try {
      DnsServer.check(addresses, domain);
    } catch (IllegalArgumentException wrong) {
      throw new IOException(wrong.getMessage(), wrong);
    }
    return addresses;
  }

  private static InetSocketAddress address(String text) throws IOException {
    int colon = text.lastIndexOf(':');
    try {
      String host = text.substring(0, colon);
      int port = Integer.parseInt(text.substring(colon + 1));
      if (port < 0 || port > PORT_MAX) {
        throw new IllegalArgumentException(text);
      }
      return new InetSocketAddress(InetAddress.ofLiteral(host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host), port);
    } catch (IllegalArgumentException | IndexOutOfBoundsException wrong) {
      throw new IOException("--dns-listen=" + text + " is not ADDRESS:PORT", wrong);
    }
  }
}
