package io.kvorum.server.tls;

import io.kvorum.server.base.PrivateKeyForms;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CRLException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Certificates, keys and revocation lists from the bytes of their files. Other blocks in a PEM file are passed over, as Go does. What the runtime can decode is left to
 * it.
 */
final class Pem {
  private static final Pattern BLOCK = Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----((?s:.*?))-----END \\1-----");
  private static final List<String> KEY_KINDS = List.of("RSA", "EC", "EdDSA");

  private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, new byte[] {'\n'});

  private Pem() {}

  /** All certificates of a PEM file, in order, at least one. */
  static List<X509Certificate> certificates(String file, byte[] content) throws TlsException {
    List<X509Certificate> found = new ArrayList<>();
    try {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      Matcher blocks = BLOCK.matcher(text(content));
      while (blocks.find()) {
        if (blocks.group(1).equals("CERTIFICATE")) {
          found.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(bytes(blocks))));
        }
      }
    } catch (CertificateException | RuntimeException e) {
      throw new TlsException(file + ": cannot parse certificate: " + e.getMessage(), e);
    }
    if (found.isEmpty()) {
      throw new TlsException(file + ": failed to find any PEM data in certificate input");
    }
    return found;
  }

  /** The private key of a PEM file: PKCS#8, or the older forms of RSA (PKCS#1) and EC (SEC 1). */
  static PrivateKey privateKey(String file, byte[] content) throws TlsException {
    Matcher blocks = BLOCK.matcher(text(content));
    while (blocks.find()) {
      String kind = blocks.group(1);
      if (!kind.endsWith("PRIVATE KEY")) {
        continue;
      }
      if (kind.startsWith("ENCRYPTED") || blocks.group(2).contains("ENCRYPTED")) {
        throw new TlsException(file + ": encrypted private keys are not supported");
      }
      try {
        return key(PrivateKeyForms.pkcs8(kind, bytes(blocks)));
      } catch (GeneralSecurityException | RuntimeException e) {
        // The cause may quote what it could not parse: it stays unsaid.
        throw new TlsException(file + ": failed to parse private key");
      }
    }
    throw new TlsException(file + ": failed to find any PEM data in key input");
  }

  private static PrivateKey key(byte[] pkcs8) throws GeneralSecurityException {
    for (String kind : KEY_KINDS) {
      try {
        return KeyFactory.getInstance(kind).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
      } catch (InvalidKeySpecException anotherKind) {
        // The next one may know it.
      }
    }
    throw new InvalidKeySpecException("no known kind of key");
  }

  /** The revocation lists of a file, DER or PEM. */
  static List<X509CRL> revocations(String file, byte[] content) throws TlsException {
    try {
      List<X509CRL> lists =
          CertificateFactory.getInstance("X.509").generateCRLs(new ByteArrayInputStream(content)).stream().map(X509CRL.class::cast).toList();
      if (lists.isEmpty()) {
        throw new TlsException(file + ": no certificate revocation list in it");
      }
      return lists;
    } catch (CertificateException | CRLException e) {
      throw new TlsException(file + ": cannot parse certificate revocation list: " + e.getMessage(), e);
    }
  }

  /** One block of a PEM file. */
  static String block(String kind, byte[] der) {
    return "-----BEGIN " + kind + "-----\n" + LINES.encodeToString(der) + "\n-----END " + kind + "-----\n";
  }

  private static String text(byte[] content) {
    return new String(content, StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(Matcher block) {
    return Base64.getMimeDecoder().decode(block.group(2));
  }
}
