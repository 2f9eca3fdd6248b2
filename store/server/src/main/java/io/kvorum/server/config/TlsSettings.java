package io.kvorum.server.config;

import java.util.List;

/**
 * TLS of one side, clients or peers, as its user gave it. Paths are empty where there is none.
 *
 * @param certFile certificate chain of this server, PEM
 * @param keyFile its private key, PEM
 * @param clientCertFile certificate for connections that are opened from here; empty for certFile
 * @param clientKeyFile its key
 * @param trustedCaFile who may sign the other side's certificates, PEM; with it callers must show one
 * @param crlFile revoked certificates, DER or PEM
 * @param clientCertAuth callers must show a certificate even without a CA file: then the runtime's CAs count
 * @param allowedNames common names, one of which a caller must have; empty for any
 * @param allowedHostnames names, one of which a caller's certificate must be valid for; empty for any
 * @param skipSanVerification do not compare a caller's address with its certificate
 * @param auto make a certificate when none is given
 * @param validityYears how long that one is valid, in years of 365 days
 * @param cipherSuites names as in Go, for TLS 1.2; empty for the runtime's choice
 * @param minVersion TLS1.2 or TLS1.3
 * @param maxVersion TLS1.2, TLS1.3 or empty for the newest
 */
public record TlsSettings(
    String certFile,
    String keyFile,
    String clientCertFile,
    String clientKeyFile,
    String trustedCaFile,
    String crlFile,
    boolean clientCertAuth,
    List<String> allowedNames,
    List<String> allowedHostnames,
    boolean skipSanVerification,
    boolean auto,
    long validityYears,
    List<String> cipherSuites,
    String minVersion,
    String maxVersion) {

  /** Whether no certificate is given. */
  public boolean isEmpty() {
    return certFile.isEmpty() && keyFile.isEmpty();
  }
}
