package io.kvorum.server.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.server.config.TlsSettings;
import java.io.IOException;
import java.io.StringWriter;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.util.io.pem.PemObject;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsFilesTest {
  @TempDir Path temp;

  private final Authority authority = new Authority("root");

  private Path file(String name) {
    return temp.resolve(name);
  }

  private TlsSettings settings() {
    return new TlsSettings(
        file("cert").toString(), file("key").toString(), "", "", file("ca").toString(), "", true, List.of(), List.of(), false, false, 1, List.of(), "TLS1.2", "");
  }

  private Authority.Issued writeAll() {
    Authority.Issued own = authority.issue("one", "localhost");
    own.write(file("cert"), file("key"));
    Authority.write(file("ca"), Authority.pem(authority.certificate));
    return own;
  }

  /** The older form of RSA and EC keys; the latter with its curve, which the runtime leaves out of that part. */
  private static String classic(PrivateKey key) throws IOException {
    PrivateKeyInfo info = PrivateKeyInfo.getInstance(key.getEncoded());
    byte[] inner =
        key instanceof ECPrivateKey ec
            ? new org.bouncycastle.asn1.sec.ECPrivateKey(ec.getParams().getOrder().bitLength(), ec.getS(), info.getPrivateKeyAlgorithm().getParameters()).getEncoded()
            : info.parsePrivateKey().toASN1Primitive().getEncoded();
    return Authority.pem(new PemObject(key.getAlgorithm() + " PRIVATE KEY", inner));
  }

  @Test
  void keys_in_all_usual_forms_are_read() throws Exception {
    for (KeyPair pair : List.of(Authority.keys("RSA", 2048), Authority.keys("EC", 256), Authority.keys("EC", 521), Authority.keys("Ed25519", 255))) {
      Authority.Issued own = authority.issue("one", pair, "localhost");
      String modern = Authority.pem(pair.getPrivate());
      String parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
      String older = pair.getPrivate().getAlgorithm().equals("EdDSA") ? modern : classic(pair.getPrivate());
      String certificate = Authority.pem(own.certificate());
      for (String key : List.of(older, modern, certificate + modern, parameters + older)) {
        Authority.write(file("cert"), "some words\n" + certificate);
        Authority.write(file("key"), key);
        Authority.write(file("ca"), Authority.pem(authority.certificate));
        TlsMaterial material = TlsFiles.open(settings()).look();
        assertThat(material.own().key().getAlgorithm()).isEqualTo(pair.getPrivate().getAlgorithm());
        assertThat(material.certificate()).isEqualTo(own.certificate());
      }
    }
  }

  @Test
  void missing_and_wrong_files_are_named_and_no_key_is_quoted() throws Exception {
    Authority.Issued own = writeAll();
    Files.delete(file("ca"));
    assertThatThrownBy(() -> TlsFiles.open(settings())).isInstanceOf(TlsException.class).hasMessage("open " + file("ca") + ": no such file or directory");
    Authority.write(file("ca"), "nothing");
    assertThatThrownBy(() -> TlsFiles.open(settings())).hasMessageContaining(file("ca") + ": failed to find any PEM data");
    writeAll();
    authority.issue("other").write(file("unused"), file("key"));
    assertThatThrownBy(() -> TlsFiles.open(settings())).hasMessage(file("key") + ": tls: private key does not match public key");
    String secret = Base64.getEncoder().encodeToString(own.key().getEncoded());
    Authority.write(file("key"), "-----BEGIN PRIVATE KEY-----\n" + secret.substring(0, 40) + "\n-----END PRIVATE KEY-----\n");
    assertThatThrownBy(() -> TlsFiles.open(settings()))
        .hasMessage(file("key") + ": failed to parse private key")
        .satisfies(e -> assertThat(e.toString()).doesNotContain(secret.substring(0, 40)));
    assertThat(new TlsMaterial.Identity(List.of(own.certificate()), own.key()).toString()).isEqualTo("CN=one");
  }

  @Test
  void encrypted_keys_are_refused_in_plain_words() throws Exception {
    writeAll();
    var password = new org.bouncycastle.openssl.jcajce.JceOpenSSLPKCS8EncryptorBuilder(org.bouncycastle.asn1.nist.NISTObjectIdentifiers.id_aes256_CBC);
    var encryptor = password.setProvider(new org.bouncycastle.jce.provider.BouncyCastleProvider()).setPassword("secret".toCharArray()).build();
    StringWriter modern = new StringWriter();
    try (var writer = new org.bouncycastle.openssl.jcajce.JcaPEMWriter(modern)) {
      writer.writeObject(new org.bouncycastle.openssl.jcajce.JcaPKCS8Generator(authority.issue("one").key(), encryptor));
    }
    String older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    for (String key : List.of(modern.toString(), older)) {
      Authority.write(file("key"), key);
      assertThatThrownBy(() -> TlsFiles.open(settings())).isInstanceOf(TlsException.class).hasMessage(file("key") + ": encrypted private keys are not supported");
    }
  }

  @Test
  void changed_files_count_at_the_next_look_and_a_half_done_rotation_changes_nothing() throws TlsException {
    writeAll();
    TlsFiles files = TlsFiles.open(settings());
    TlsMaterial first = files.look();
    assertThat(files.look()).isSameAs(first);
    Authority.Issued next = authority.issue("two", "localhost");
    Authority.write(file("cert"), Authority.pem(next.certificate()));
    assertThat(files.look()).isSameAs(first);
    Authority.write(file("key"), Authority.pem(next.key()));
    assertThat(files.look().certificate()).isEqualTo(next.certificate());
    Authority other = new Authority("other");
    Authority.write(file("ca"), Authority.pem(authority.certificate) + Authority.pem(other.certificate));
    assertThat(files.look().authorities()).containsExactly(authority.certificate, other.certificate);
    file("ca").toFile().delete();
    assertThat(files.look().authorities()).hasSize(2);
  }

  @Test
  void a_made_certificate_is_kept_and_its_key_is_for_its_owner_alone() throws Exception {
    TlsSettings wanted = new TlsSettings("", "", "", "", "", "", true, List.of(), List.of(), false, true, 2, List.of(), "TLS1.2", "");
    Instant now = Instant.now();
    TlsSettings made = SelfSigned.in(file("fixtures").resolve("peer"), List.of("127.0.0.1", "localhost", "::1"), wanted, now);
    TlsMaterial material = TlsFiles.open(made).look();
    SubjectNames names = SubjectNames.of(material.certificate());
    assertThat(names.matches("127.0.0.1") && names.matches("localhost") && names.matches("::1")).isTrue();
    assertThat(names.matches("127.0.0.2") || names.matches("elsewhere")).isFalse();
    assertThat(material.certificate().getNotAfter().toInstant()).isBetween(now.plus(Duration.ofDays(729)), now.plus(Duration.ofDays(731)));
    assertThat(Files.getPosixFilePermissions(Path.of(made.keyFile()))).isEqualTo(PosixFilePermissions.fromString("rw-------"));
    assertThat(made.clientCertAuth()).isFalse();
    X509Certificate certificate = material.certificate();
    certificate.verify(certificate.getPublicKey());
    assertThat(certificate.getKeyUsage()).containsExactly(true, false, true, false, false, true, false, false, false);
    assertThat(certificate.getExtendedKeyUsage()).containsExactly("1.3.6.1.5.5.7.3.1");
    assertThat(certificate.getBasicConstraints()).isEqualTo(Integer.MAX_VALUE);
    assertThat(certificate.getSubjectX500Principal()).isEqualTo(certificate.getIssuerX500Principal());
    SelfSigned.in(file("fixtures").resolve("peer"), List.of("other"), wanted, now);
    assertThat(TlsFiles.open(made).look().certificate()).isEqualTo(material.certificate());
  }

  @Test
  void a_certificate_can_be_made_for_a_century() throws Exception {
    TlsSettings wanted = new TlsSettings("", "", "", "", "", "", true, List.of(), List.of(), false, true, 100, List.of(), "TLS1.2", "");
    Instant now = Instant.now();
    TlsMaterial material = TlsFiles.open(SelfSigned.in(file("fixtures"), List.of("localhost"), wanted, now)).look();
    assertThat(material.certificate().getNotAfter().toInstant()).isBetween(now.plus(Duration.ofDays(36_499)), now.plus(Duration.ofDays(36_501)));
    material.certificate().checkValidity();
  }

  @Test
  void names_of_certificates() {
    SubjectNames names = SubjectNames.of(authority.issue("cn", "a.example", "*.b.example", "10.0.0.1").certificate());
    assertThat(names.commonName()).isEqualTo("cn");
    assertThat(List.of("a.example", "A.EXAMPLE", "x.b.example", "10.0.0.1")).allMatch(names::matches);
    assertThat(List.of("cn", "b.example", "x.y.b.example", "10.0.0.2", "a.example.org", "")).noneMatch(names::matches);
  }

  @Test
  void where_callers_must_come_from() throws Exception {
    InetAddress loopback = InetAddress.getByName("127.0.0.1");
    assertThat(CallerAddress.refusal(SubjectNames.of(authority.issue("none").certificate()), loopback)).isNull();
    assertThat(CallerAddress.refusal(SubjectNames.of(authority.issue("ip", "127.0.0.1").certificate()), loopback)).isNull();
    assertThat(CallerAddress.refusal(SubjectNames.of(authority.issue("dns", "localhost").certificate()), loopback)).isNull();
    assertThat(CallerAddress.refusal(SubjectNames.of(authority.issue("ip", "10.9.8.7").certificate()), loopback))
        .isEqualTo("x509: certificate is valid for 10.9.8.7, not 127.0.0.1");
  }

  @Test
  void cipher_suites_by_the_names_of_go() throws Exception {
    Set<String> supported = Set.of("TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");
    assertThat(CipherSuites.of(List.of(), supported)).isNull();
    assertThat(CipherSuites.of(List.of("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305"), supported))
        .containsExactly("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256");
    assertThatThrownBy(() -> CipherSuites.of(List.of("TLS_NONE"), supported)).hasMessage("unexpected TLS cipher suite \"TLS_NONE\"");
  }
}
