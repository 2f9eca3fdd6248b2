package io.kvorum.operator.certificates;

import java.util.Comparator;
import java.util.List;

/**
 * What a leaf certificate says of its holder. It serves for both ends of a connection.
 *
 * @param commonName the subject's common name; the store takes it for a user's name when users are enabled and certificates are demanded
 * @param dnsNames host names, wildcards allowed
 * @param addresses IP addresses
 */
public record Leaf(String commonName, List<String> dnsNames, List<String> addresses) {
  /** X.509's bound of a common name. */
  private static final int COMMON_NAME = 64;

  public Leaf {
    if (commonName.length() > COMMON_NAME) {
      throw new IllegalArgumentException("common name longer than " + COMMON_NAME + ": " + commonName);
    }
    dnsNames = dnsNames.stream().distinct().sorted(Comparator.naturalOrder()).toList();
    addresses = addresses.stream().distinct().sorted(Comparator.naturalOrder()).toList();
  }
}
