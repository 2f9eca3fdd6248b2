package io.kvorum.operator.certificates;

import java.io.IOException;
import java.io.StringReader;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.CertIOException;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.util.io.pem.PemReader;

/** Makes authorities and leaves, with keys on P-256. Certificates begin an hour early, so that clocks may differ. */
public final class Issuer {
  static final Duration EARLY = Duration.ofHours(1);
  private static final int SERIAL_BITS = 127;
  private static final String SIGNATURE = "SHA256withECDSA";

  private final SecureRandom random;

  public Issuer(SecureRandom random) {
    this.random = random;
  }

  /** A new self-signed authority that may sign leaves only. */
  public KeyPairPem authority(String commonName, Instant now, Duration validity) {
    try {
      KeyPair keys = keys();
      var name = new X500NameBuilder().addRDN(BCStyle.CN, commonName).build();
      X509v3CertificateBuilder builder =
          new JcaX509v3CertificateBuilder(name, serial(), Date.from(now.minus(EARLY)), Date.from(now.plus(validity)), name, keys.getPublic());
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(0));
      builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
      builder.addExtension(Extension.subjectKeyIdentifier, false, new JcaX509ExtensionUtils().createSubjectKeyIdentifier(keys.getPublic()));
      return signed(builder, keys.getPrivate(), keys.getPrivate());
    } catch (GeneralSecurityException | OperatorCreationException | CertIOException e) {
      throw new IllegalStateException("issuing an authority", e);
    }
  }

  /** A new leaf of this authority; it never outlives the authority. */
  public KeyPairPem leaf(KeyPairPem authority, Leaf leaf, Instant now, Duration validity) {
    try {
      X509Certificate signer = authority.parsed();
      Instant end = now.plus(validity);
      Instant limit = signer.getNotAfter().toInstant();
      KeyPair keys = keys();
      X509v3CertificateBuilder builder = builder(signer, leaf, now, end.isBefore(limit) ? end : limit, keys.getPublic());
      return signed(builder, privateKey(authority.key()), keys.getPrivate());
    } catch (GeneralSecurityException | OperatorCreationException | CertIOException e) {
      throw new IllegalStateException("issuing a leaf", e);
    }
  }

  private X509v3CertificateBuilder builder(X509Certificate signer, Leaf leaf, Instant now, Instant end, PublicKey key)
      throws CertIOException, GeneralSecurityException {
    var subject = new X500NameBuilder().addRDN(BCStyle.CN, leaf.commonName()).build();
    var builder =
        new JcaX509v3CertificateBuilder(
            new JcaX509CertificateHolder(signer).getSubject(),
            serial(), Date.from(now.minus(EARLY)), Date.from(end), subject, key);
    JcaX509ExtensionUtils extensions = new JcaX509ExtensionUtils();
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
    builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
    builder.addExtension(
        Extension.extendedKeyUsage,
        false,
        new ExtendedKeyUsage(new KeyPurposeId[] {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth}));
    builder.addExtension(Extension.authorityKeyIdentifier, false, extensions.createAuthorityKeyIdentifier(signer.getPublicKey()));
    builder.addExtension(Extension.subjectKeyIdentifier, false, extensions.createSubjectKeyIdentifier(key));
    List<GeneralName> names = new ArrayList<>();
    leaf.dnsNames().forEach(name -> names.add(new GeneralName(GeneralName.dNSName, name)));
    leaf.addresses().forEach(address -> names.add(new GeneralName(GeneralName.iPAddress, address)));
    if (!names.isEmpty()) {
      builder.addExtension(Extension.subjectAlternativeName, false, new GeneralNames(names.toArray(GeneralName[]::new)));
    }
    return builder;
  }

  private static KeyPairPem signed(X509v3CertificateBuilder builder, PrivateKey signer, PrivateKey own)
      throws GeneralSecurityException, OperatorCreationException {
    X509Certificate certificate =
        new JcaX509CertificateConverter().getCertificate(builder.build(new JcaContentSignerBuilder(SIGNATURE).build(signer)));
    return new KeyPairPem(Pem.write("CERTIFICATE", certificate.getEncoded()), Pem.write("PRIVATE KEY", own.getEncoded()));
  }

  private KeyPair keys() throws GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"), random);
    return generator.generateKeyPair();
  }

  private BigInteger serial() {
    return new BigInteger(SERIAL_BITS, random).setBit(SERIAL_BITS - 1);
  }

  private static PrivateKey privateKey(String pem) throws GeneralSecurityException {
    try (PemReader reader = new PemReader(new StringReader(pem))) {
      return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(reader.readPemObject().getContent()));
    } catch (IOException e) {
      throw new GeneralSecurityException("not a PEM text", e);
    }
  }
}
