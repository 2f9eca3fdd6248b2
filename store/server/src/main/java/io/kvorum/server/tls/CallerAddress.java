package io.kvorum.server.tls;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Locale;

/**
 * Whether a caller comes from where its certificate says, by etcd's rules for peers: an address in the certificate that is the caller's, or a DNS name that
 * resolves to it, or a wildcard that its reverse name fits. A certificate without such names says nothing and passes. May ask name servers: it blocks.
 */
final class CallerAddress {
  private CallerAddress() {}

  /** Null when it may pass, else why not. */
  static String refusal(SubjectNames names, InetAddress caller) {
    String address = caller.getHostAddress();
    if (needsNoLookup(names, caller)) {
      return null;
    }
    if (names.hosts().isEmpty()) {
      return "x509: certificate is valid for " + String.join(", ", names.addresses()) + ", not " + address;
    }
    for (String host : names.hosts()) {
      if (host.startsWith("*.") ? fitsWildcard(host, caller) : resolvesTo(host, caller)) {
        return null;
      }
    }
    return "tls: \"" + address + "\" does not match any of DNSNames " + names.hosts();
  }

  /** Whether it passes without asking anybody. */
  static boolean needsNoLookup(SubjectNames names, InetAddress caller) {
    return names.isEmpty() || names.matchesAddress(caller.getHostAddress());
  }

  private static boolean resolvesTo(String host, InetAddress caller) {
    try {
      for (InetAddress address : InetAddress.getAllByName(host)) {
        if (address.equals(caller)) {
          return true;
        }
      }
      return false;
    } catch (UnknownHostException e) {
      return false;
    }
  }

  private static boolean fitsWildcard(String pattern, InetAddress caller) {
    try {
      // A fresh object: a name that it was made with would be taken for its reverse name.
      String name = InetAddress.getByAddress(caller.getAddress()).getCanonicalHostName().toLowerCase(Locale.ROOT);
      return !Addresses.isAddress(name) && name.endsWith(pattern.substring(1).toLowerCase(Locale.ROOT));
    } catch (UnknownHostException e) {
      return false;
    }
  }
}
