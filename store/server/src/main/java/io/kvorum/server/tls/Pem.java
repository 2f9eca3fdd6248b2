package io.kvorum.server.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CRLException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.List;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.openssl.PEMEncryptedKeyPair;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.pkcs.PKCS8EncryptedPrivateKeyInfo;

/** Certificates, keys and revocation lists from the bytes of their files. Other blocks in a PEM file are passed over, as Go does. */
final class Pem {
  /** The one kind of key that the runtime does not know by its number. */
  private static final String EC_KEY = "1.2.840.10045.2.1";

  private Pem() {}

  /** All certificates of a PEM file, in order, at least one. */
  static List<X509Certificate> certificates(String file, byte[] content) throws TlsException {
    List<X509Certificate> found = new ArrayList<>();
    try (PEMParser parser = parser(content)) {
      CertificateFactory factory = CertificateFactory.getInstance("X.509");
      for (Object block = parser.readObject(); block != null; block = parser.readObject()) {
        if (block instanceof X509CertificateHolder holder) {
          found.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(holder.getEncoded())));
        }
      }
    } catch (IOException | CertificateException | RuntimeException e) {
      throw new TlsException(file + ": cannot parse certificate: " + e.getMessage(), e);
    }
    if (found.isEmpty()) {
      throw new TlsException(file + ": failed to find any PEM data in certificate input");
    }
    return found;
  }

  /** The private key of a PEM file: PKCS#8, or the older forms of RSA (PKCS#1) and EC (SEC 1). */
  static PrivateKey privateKey(String file, byte[] content) throws TlsException {
    try (PEMParser parser = parser(content)) {
      for (Object block = parser.readObject(); block != null; block = parser.readObject()) {
        switch (block) {
          case PEMKeyPair pair -> {
            return key(pair.getPrivateKeyInfo());
          }
          case PrivateKeyInfo info -> {
            return key(info);
          }
          case PEMEncryptedKeyPair encrypted -> throw new TlsException(file + ": encrypted private keys are not supported");
          case PKCS8EncryptedPrivateKeyInfo encrypted -> throw new TlsException(file + ": encrypted private keys are not supported");
          default -> {
            // Parameters of a curve, or a certificate in the same file.
          }
        }
      }
    } catch (IOException | GeneralSecurityException | RuntimeException e) {
      // The cause may quote what it could not parse: it stays unsaid.
      throw new TlsException(file + ": failed to parse private key");
    }
    throw new TlsException(file + ": failed to find any PEM data in key input");
  }

  private static PrivateKey key(PrivateKeyInfo info) throws IOException, GeneralSecurityException {
    String oid = info.getPrivateKeyAlgorithm().getAlgorithm().getId();
    return KeyFactory.getInstance(oid.equals(EC_KEY) ? "EC" : oid).generatePrivate(new PKCS8EncodedKeySpec(info.getEncoded()));
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

  private static PEMParser parser(byte[] content) {
    return new PEMParser(new StringReader(new String(content, StandardCharsets.ISO_8859_1)));
  }
}
