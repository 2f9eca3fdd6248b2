package io.kvorum.server.tls;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Cipher suites by the names that etcd takes, which are Go's. */
final class CipherSuites {
  private static final Set<String> NEWEST = Set.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");

  /** What Go names and is here either absent or named otherwise. */
  private static final Map<String, String> OTHER_NAMES =
      Map.of(
          "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "SSL_RSA_WITH_3DES_EDE_CBC_SHA",
          "TLS_RSA_WITH_RC4_128_SHA", "SSL_RSA_WITH_RC4_128_SHA");

  private CipherSuites() {}

  /**
   * The suites to offer: those named, for TLS 1.2, and always those of TLS 1.3, as in Go.
   *
   * @param names none for the runtime's choice, which is then null
   * @param supported by the runtime
   * @throws TlsException when a name is unknown or the runtime refuses its suite
   */
  static List<String> of(List<String> names, Set<String> supported) throws TlsException {
    if (names.isEmpty()) {
      return null;
    }
    Set<String> suites = new LinkedHashSet<>();
    for (String name : names) {
      String known = OTHER_NAMES.getOrDefault(name, name);
      if (!supported.contains(known)) {
        throw new TlsException("unexpected TLS cipher suite \"" + name + "\"");
      }
      suites.add(known);
    }
    NEWEST.stream().sorted().filter(supported::contains).forEach(suites::add);
    return new ArrayList<>(suites);
  }
}
