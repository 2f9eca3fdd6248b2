package io.kvorum.server.tls;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A certificate authority of a test. */
public final class Authority {
  private static final Duration DAY = Duration.ofDays(1);

  private final AtomicLong serials = new AtomicLong(100);
  private final X500Name name;
  private final KeyPair keys;
  public final X509Certificate certificate;

  public Authority(String commonName) {
    this.name = new X500Name("CN=" + commonName);
    this.keys = keys("EC", 256);
    this.certificate = make(name, keys, List.of(), true);
  }

  /** A certificate with its key. */
  public record Issued(X509Certificate certificate, PrivateKey key) {
    /** Writes both, each by a rename as certificate managers do. */
    public void write(Path certFile, Path keyFile) {
      Authority.write(keyFile, pem(key));
      Authority.write(certFile, pem(certificate));
    }
  }

  static KeyPair keys(String algorithm, int bits) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
      generator.initialize(bits);
      return generator.generateKeyPair();
    } catch (java.security.GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** For servers and clients alike. */
  public Issued issue(String commonName, String... hostsAndAddresses) {
    return issue(commonName, keys("EC", 256), hostsAndAddresses);
  }

  Issued issue(String commonName, KeyPair own, String... hostsAndAddresses) {
    return new Issued(make(new X500Name("CN=" + commonName), own, List.of(hostsAndAddresses), false), own.getPrivate());
  }

  private X509Certificate make(X500Name subject, KeyPair own, List<String> hosts, boolean authority) {
    try {
      Instant now = Instant.now();
      var builder =
          new JcaX509v3CertificateBuilder(
              name, BigInteger.valueOf(serials.getAndIncrement()), Date.from(now.minus(DAY)), Date.from(now.plus(DAY)), subject, own.getPublic());
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
      if (!authority) {
        builder.addExtension(
            Extension.extendedKeyUsage, false, new ExtendedKeyUsage(new KeyPurposeId[] {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth}));
      }
      if (!hosts.isEmpty()) {
        GeneralName[] names =
            hosts.stream().map(host -> new GeneralName(Addresses.isAddress(host) ? GeneralName.iPAddress : GeneralName.dNSName, host)).toArray(GeneralName[]::new);
        builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names));
      }
      return new JcaX509CertificateConverter().getCertificate(builder.build(signer()));
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private ContentSigner signer() throws Exception {
    return new JcaContentSignerBuilder("SHA256withECDSA").build(keys.getPrivate());
  }

  /** A revocation list, DER. */
  public byte[] revoke(X509Certificate... certificates) {
    try {
      Instant now = Instant.now();
      X509v2CRLBuilder builder = new X509v2CRLBuilder(name, Date.from(now.minus(DAY)));
      builder.setNextUpdate(Date.from(now.plus(DAY)));
      for (X509Certificate revoked : certificates) {
        builder.addCRLEntry(revoked.getSerialNumber(), Date.from(now), 0);
      }
      return builder.build(signer()).getEncoded();
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  public static String pem(Object content) {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      writer.writeObject(content instanceof PrivateKey key ? new JcaPKCS8Generator(key, null) : content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  public static void write(Path file, String text) {
    write(file, text.getBytes(java.nio.charset.StandardCharsets.US_ASCII));
  }

  public static void write(Path file, byte[] content) {
    try {
      Path temporary = file.resolveSibling(file.getFileName() + ".new");
      Files.write(temporary, content);
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
