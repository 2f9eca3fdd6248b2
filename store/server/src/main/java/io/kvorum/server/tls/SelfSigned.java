package io.kvorum.server.tls;

import io.kvorum.server.base.Der;
import io.kvorum.server.config.TlsSettings;
import io.kvorum.server.logging.Log;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import javax.security.auth.x500.X500Principal;

/** A certificate that a server makes for itself when it is told to, kept for the next start. Nobody can verify it: it hides traffic and proves nothing. */
public final class SelfSigned {
  private static final Log LOG = Log.of(SelfSigned.class);
  private static final int SERIAL_BITS = 128;
  private static final int DAYS_PER_YEAR = 365;
  private static final long MAX_YEARS = 1_000;
  private static final BigInteger VERSION_3 = BigInteger.TWO;
  private static final int EXTENSIONS_FIELD = 3;
  private static final int DNS_NAME = 2;
  private static final int ADDRESS = 7;
  private static final String ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
  private static final String SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1";
  private static final String KEY_USAGE = "2.5.29.15";
  private static final String SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
  private static final String BASIC_CONSTRAINTS = "2.5.29.19";
  private static final String EXTENDED_KEY_USAGE = "2.5.29.37";
  private static final byte[] TRUE = {(byte) 0xff};

  /** Bits 0, 2 and 5 of a bit string, two bits of its byte unused. */
  private static final byte[] SIGN_ENCIPHER_CERTIFY = {2, (byte) 0xa4};

  private static final int GENERALIZED_FROM_YEAR = 2050;
  private static final DateTimeFormatter UTC_TIME = DateTimeFormatter.ofPattern("uuMMddHHmmss'Z'", Locale.ROOT);
  private static final DateTimeFormatter GENERALIZED_TIME = DateTimeFormatter.ofPattern("uuuuMMddHHmmss'Z'", Locale.ROOT);

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
    } catch (IOException | GeneralSecurityException e) {
      throw new TlsException("could not get certs: " + directory + ": " + e.getMessage(), e);
    }
    return new TlsSettings(
        cert.toString(), key.toString(), "", "", "", "", false, List.of(), List.of(), true, true,
        settings.validityYears(), settings.cipherSuites(), settings.minVersion(), settings.maxVersion());
  }

  private static void make(Path cert, Path key, List<String> hosts, long years, Instant now) throws IOException, GeneralSecurityException {
    SecureRandom random = new SecureRandom();
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"), random);
    KeyPair pair = generator.generateKeyPair();
    Instant end = now.plus(Duration.ofDays(Math.min(years, MAX_YEARS) * DAYS_PER_YEAR));
    byte[] made = certificate(pair, new BigInteger(SERIAL_BITS, random), hosts, now, end);
    LOG.warn("automatically generate certificates", "certificate-validity-bound-not-after", end.toString(), "path", cert.getParent().toString());
    // The key first: a certificate stands for a complete pair.
    write(key, Pem.block("PRIVATE KEY", pair.getPrivate().getEncoded()));
    write(cert, Pem.block("CERTIFICATE", made));
  }

  /** X.509 version 3 (RFC 5280). */
  private static byte[] certificate(KeyPair pair, BigInteger serial, List<String> hosts, Instant start, Instant end) throws GeneralSecurityException {
    byte[] name = new X500Principal("O=kvorum").getEncoded();
    byte[] algorithm = Der.sequence(Der.objectIdentifier(ECDSA_WITH_SHA256));
    byte[] content =
        Der.sequence(
            Der.element(Der.field(0, true), Der.integer(VERSION_3)), Der.integer(serial), algorithm, name, Der.sequence(time(start), time(end)), name,
            pair.getPublic().getEncoded(), Der.element(Der.field(EXTENSIONS_FIELD, true), extensions(hosts)));
    Signature signature = Signature.getInstance("SHA256withECDSA");
    signature.initSign(pair.getPrivate());
    signature.update(content);
    return Der.sequence(content, algorithm, Der.bits(signature.sign()));
  }

  private static byte[] extensions(List<String> hosts) {
    byte[] authority = Der.sequence(Der.element(Der.BOOLEAN, TRUE));
    byte[] purposes = Der.sequence(Der.objectIdentifier(SERVER_AUTHENTICATION));
    byte[][] names =
        hosts.stream().distinct()
            .map(host -> Addresses.isAddress(host) ? Der.element(Der.field(ADDRESS, false), Addresses.bytes(host)) : Der.element(Der.field(DNS_NAME, false), host.getBytes(StandardCharsets.US_ASCII)))
            .toArray(byte[][]::new);
    return Der.sequence(
        extension(BASIC_CONSTRAINTS, true, authority), extension(KEY_USAGE, true, Der.element(Der.BIT_STRING, SIGN_ENCIPHER_CERTIFY)),
        extension(EXTENDED_KEY_USAGE, false, purposes), extension(SUBJECT_ALTERNATIVE_NAME, false, Der.sequence(names)));
  }

  private static byte[] extension(String identifier, boolean critical, byte[] content) {
    byte[] mark = critical ? Der.element(Der.BOOLEAN, TRUE) : new byte[0];
    return Der.sequence(Der.objectIdentifier(identifier), mark, Der.element(Der.OCTET_STRING, content));
  }

  /** UTCTime until 2049, then GeneralizedTime, as RFC 5280 wants it. */
  private static byte[] time(Instant instant) {
    ZonedDateTime time = instant.atZone(ZoneOffset.UTC);
    if (time.getYear() < GENERALIZED_FROM_YEAR) {
      return Der.element(Der.UTC_TIME, UTC_TIME.format(time).getBytes(StandardCharsets.US_ASCII));
    }
    return Der.element(Der.GENERALIZED_TIME, GENERALIZED_TIME.format(time).getBytes(StandardCharsets.US_ASCII));
  }

  private static void write(Path file, String text) throws IOException {
    Path temporary = Files.createTempFile(file.getParent(), "made", ".tmp", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(temporary, text);
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
