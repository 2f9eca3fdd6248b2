package io.kvorum.server.tls;

import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/**
 * The names of a certificate.
 *
 * @param commonName empty when there is none
 * @param hosts DNS names, possibly with a wildcard in front
 * @param addresses IP addresses as text
 */
public record SubjectNames(String commonName, List<String> hosts, List<String> addresses) {
  private static final int DNS_NAME = 2;
  private static final int IP_ADDRESS = 7;

  /** Reads them; what cannot be read is as if it were not there. */
  public static SubjectNames of(X509Certificate certificate) {
    List<String> hosts = new ArrayList<>();
    List<String> addresses = new ArrayList<>();
    try {
      Collection<List<?>> names = certificate.getSubjectAlternativeNames();
      for (List<?> name : names == null ? List.<List<?>>of() : names) {
        switch ((Integer) name.getFirst()) {
          case DNS_NAME -> hosts.add(String.valueOf(name.get(1)));
          case IP_ADDRESS -> addresses.add(String.valueOf(name.get(1)));
          default -> {
            // Mail addresses and URIs name no host.
          }
        }
      }
    } catch (CertificateParsingException e) {
      return new SubjectNames(commonName(certificate), List.of(), List.of());
    }
    return new SubjectNames(commonName(certificate), List.copyOf(hosts), List.copyOf(addresses));
  }

  private static String commonName(X509Certificate certificate) {
    try {
      // The last RDN of the text form is the first of the certificate; of several common names the last one in the certificate counts, as in Go.
      for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns().reversed()) {
        if (part.getType().equalsIgnoreCase("CN")) {
          return String.valueOf(part.getValue());
        }
      }
      return "";
    } catch (InvalidNameException e) {
      return "";
    }
  }

  boolean isEmpty() {
    return hosts.isEmpty() && addresses.isEmpty();
  }

  /** Whether the certificate is valid for a host name; a wildcard stands for one label, the leftmost. */
  boolean matchesHost(String host) {
    String wanted = host.toLowerCase(Locale.ROOT);
    for (String pattern : hosts) {
      String name = pattern.toLowerCase(Locale.ROOT);
      int dot = wanted.indexOf('.');
      if (name.equals(wanted) || (name.startsWith("*.") && dot > 0 && name.substring(1).equals(wanted.substring(dot)))) {
        return true;
      }
    }
    return false;
  }

  /** Whether it is valid for an IP address, given as text without brackets. */
  boolean matchesAddress(String address) {
    return addresses.stream().anyMatch(own -> Addresses.same(own, address));
  }

  boolean matches(String hostOrAddress) {
    return matchesHost(hostOrAddress) || matchesAddress(hostOrAddress);
  }
}
