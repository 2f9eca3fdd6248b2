package io.kvorum.server.tls;

import java.net.InetAddress;

/** IP addresses as text. */
final class Addresses {
  private Addresses() {}

  /** Whether a text is an IP address, which is never looked up. */
  static boolean isAddress(String text) {
    return parse(text) != null;
  }

  /** The 4 or 16 bytes of an address. */
  static byte[] bytes(String address) {
    return InetAddress.ofLiteral(address).getAddress();
  }

  static boolean same(String left, String right) {
    InetAddress one = parse(left);
    InetAddress other = parse(right);
    return one != null && one.equals(other);
  }

  private static InetAddress parse(String text) {
    try {
      return InetAddress.ofLiteral(text);
    } catch (IllegalArgumentException notAnAddress) {
      return null;
    }
  }
}
