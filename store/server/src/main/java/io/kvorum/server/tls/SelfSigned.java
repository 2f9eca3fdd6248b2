package io.kvorum.server.tls;

import io.kvorum.server.config.TlsSettings;
import io.kvorum.server.logging.Log;
import java.io.IOException;
import java.io.StringWriter;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A certificate that a server makes for itself when it is told to, kept for the next start. Nobody can verify it: it hides traffic and proves nothing. */
public final class SelfSigned {
  private static final Log LOG = Log.of(SelfSigned.class);
  private static final int SERIAL_BITS = 128;
  private static final int DAYS_PER_YEAR = 365;
  private static final long MAX_YEARS = 1_000;

  private SelfSigned() {}

  /**
   * The files {@code cert.pem} and {@code key.pem} of a directory, made when they are not there.
   *
   * @param hosts names and addresses that the certificate is for
   * @return the settings of such a side: these files, no client certificates wanted, as in etcd
   */
  public static TlsSettings in(Path directory, List<String> hosts, TlsSettings settings, Instant now) throws TlsException {
    Path cert = directory.resolve("cert.pem").toAbsolutePath();
    Path key = directory.resolve("key.pem").toAbsolutePath();
    try {
      if (!Files.exists(cert) || !Files.exists(key)) {
        Files.createDirectories(directory);
        make(cert, key, hosts, settings.validityYears(), now);
      }
    } catch (IOException | GeneralSecurityException | OperatorCreationException e) {
      throw new TlsException("could not get certs: " + directory + ": " + e.getMessage(), e);
    }
    return new TlsSettings(
        cert.toString(), key.toString(), "", "", "", "", false, List.of(), List.of(), true, true,
        settings.validityYears(), settings.cipherSuites(), settings.minVersion(), settings.maxVersion());
  }

  private static void make(Path cert, Path key, List<String> hosts, long years, Instant now)
      throws IOException, GeneralSecurityException, OperatorCreationException {
    SecureRandom random = new SecureRandom();
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"), random);
    KeyPair pair = generator.generateKeyPair();
    Instant end = now.plus(Duration.ofDays(Math.min(years, MAX_YEARS) * DAYS_PER_YEAR));
    X500Name name = new X500Name("O=kvorum");
    JcaX509v3CertificateBuilder builder =
        new JcaX509v3CertificateBuilder(name, new BigInteger(SERIAL_BITS, random), Date.from(now), Date.from(end), name, pair.getPublic());
    GeneralName[] names =
        hosts.stream().distinct().map(host -> new GeneralName(Addresses.isAddress(host) ? GeneralName.iPAddress : GeneralName.dNSName, host)).toArray(GeneralName[]::new);
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
    builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature | KeyUsage.keyEncipherment | KeyUsage.keyCertSign));
    builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(KeyPurposeId.id_kp_serverAuth));
    builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names));
    X509CertificateHolder made = builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(pair.getPrivate()));
    LOG.warn("automatically generate certificates", "certificate-validity-bound-not-after", end.toString(), "path", cert.getParent().toString());
    // The key first: a certificate stands for a complete pair.
    write(key, new JcaPKCS8Generator(pair.getPrivate(), null));
    write(cert, made);
  }

  private static void write(Path file, Object content) throws IOException {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter pem = new JcaPEMWriter(text)) {
      pem.writeObject(content);
    }
    Path temporary = Files.createTempFile(file.getParent(), "made", ".tmp", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(temporary, text.toString());
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
