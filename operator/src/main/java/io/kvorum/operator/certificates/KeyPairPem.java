package io.kvorum.operator.certificates;

import java.security.cert.X509Certificate;
import java.time.Instant;

/**
 * A certificate with its private key, both as PEM texts. Its text form leaves the key out.
 *
 * @param certificate one certificate
 * @param key its private key in PKCS#8
 */
public record KeyPairPem(String certificate, String key) {

  /** @throws IllegalArgumentException when the text is no certificate */
  public X509Certificate parsed() {
    return Pem.certificates(certificate).getFirst();
  }

  /** End of the certificate. */
  public Instant notAfter() {
    return parsed().getNotAfter().toInstant();
  }

  /** Lower-case hex SHA-256 of the certificate's DER form. */
  public String fingerprint() {
    return Pem.fingerprint(parsed());
  }

  @Override
  public String toString() {
    return "KeyPairPem[" + fingerprint() + "]";
  }
}
