package io.kvorum.server.auth;

import io.kvorum.server.base.PrivateKeyForms;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.interfaces.ECPrivateKey;
import java.security.interfaces.EdECPrivateKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.NamedParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Keys from PEM text in all the forms that tools write: PKCS 8 and its elders for private keys; public keys and certificates. */
final class PemKeys {
  private static final Pattern BLOCK = Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]+)-----END");

  private static final byte[] PROBE = {1, 2, 3, 4};

  private PemKeys() {}

  private record Block(String type, byte[] der) {}

  private static Block block(byte[] file, boolean wantsPrivate) throws GeneralSecurityException {
    Matcher matcher = BLOCK.matcher(new String(file, StandardCharsets.ISO_8859_1));
    while (matcher.find()) {
      if (matcher.group(1).endsWith("PRIVATE KEY") == wantsPrivate && !matcher.group(1).equals("EC PARAMETERS")) {
        return new Block(matcher.group(1), Base64.getMimeDecoder().decode(matcher.group(2)));
      }
    }
    throw new GeneralSecurityException("no " + (wantsPrivate ? "private" : "public") + " key in PEM form");
  }

  /** @param family RSA, EC or Ed25519 as the JDK names them */
  static PublicKey publicKey(byte[] file, String family) throws GeneralSecurityException {
    Block block = block(file, false);
    if (block.type.equals("CERTIFICATE")) {
      PublicKey key = CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(block.der)).getPublicKey();
      return KeyFactory.getInstance(family).generatePublic(new X509EncodedKeySpec(key.getEncoded()));
    }
    byte[] der = block.der;
    if (block.type.equals("RSA PUBLIC KEY")) {
      der = PrivateKeyForms.rsaPublicKey(der);
    }
    return KeyFactory.getInstance(family).generatePublic(new X509EncodedKeySpec(der));
  }

  /** @param family as for public keys */
  static PrivateKey privateKey(byte[] file, String family) throws GeneralSecurityException {
    Block block = block(file, true);
    return KeyFactory.getInstance(family).generatePrivate(new PKCS8EncodedKeySpec(PrivateKeyForms.pkcs8(block.type, block.der)));
  }

  /**
   * The public key that belongs to a private one.
   *
   * @param file where the private key was read from: an EC key in the older form carries it along
   */
  static PublicKey publicKeyOf(PrivateKey key, byte[] file) throws GeneralSecurityException {
    return switch (key) {
      case RSAPrivateCrtKey rsa -> KeyFactory.getInstance("RSA").generatePublic(new RSAPublicKeySpec(rsa.getModulus(), rsa.getPublicExponent()));
      case EdECPrivateKey ed -> edwards(ed);
      case ECPrivateKey ec -> KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(PrivateKeyForms.ecPublicKey(block(file, true).type, block(file, true).der)));
      default -> throw new GeneralSecurityException("pub-key is not given");
    };
  }

  /** Making a pair takes as many random bytes as the private key has, which then are that key. */
  private static PublicKey edwards(EdECPrivateKey key) throws GeneralSecurityException {
    byte[] secret = key.getBytes().orElseThrow(() -> new GeneralSecurityException("pub-key is not given"));
    KeyPairGenerator generator = KeyPairGenerator.getInstance("Ed25519");
    generator.initialize(
        NamedParameterSpec.ED25519,
        new SecureRandom() {
          @Override
          public void nextBytes(byte[] bytes) {
            System.arraycopy(secret, 0, bytes, 0, bytes.length);
          }
        });
    return generator.generateKeyPair().getPublic();
  }

  /** Whether what one signs the other verifies. */
  static boolean belong(PrivateKey signing, PublicKey verifying) throws GeneralSecurityException {
    String algorithm =
        switch (signing.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> "Ed25519";
        };
    Signature signature = Signature.getInstance(algorithm);
    signature.initSign(signing);
    signature.update(PROBE);
    byte[] signed = signature.sign();
    signature.initVerify(verifying);
    signature.update(PROBE);
    return signature.verify(signed);
  }
}
