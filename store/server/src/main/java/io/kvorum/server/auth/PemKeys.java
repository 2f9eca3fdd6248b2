package io.kvorum.server.auth;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Keys from PEM text in all the forms that tools write: PKCS 8 and its elders for private keys; public keys and certificates. */
final class PemKeys {
  private static final Pattern BLOCK = Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]+)-----END");
  private static final String RSA_ALGORITHM = "300d06092a864886f70d0101010500";

  /** Algorithm identifiers of elliptic curves by the size of the signature's hash. */
  private static final Map<String, String> CURVES =
      Map.of(
          "256", "301306072a8648ce3d020106082a8648ce3d030107",
          "384", "301006072a8648ce3d020106052b81040022",
          "512", "301006072a8648ce3d020106052b81040023");

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
      byte[] bits = new byte[der.length + 1];
      System.arraycopy(der, 0, bits, 1, der.length);
      der = element(0x30, join(HexFormat.of().parseHex(RSA_ALGORITHM), element(0x03, bits)));
    }
    return KeyFactory.getInstance(family).generatePublic(new X509EncodedKeySpec(der));
  }

  /**
   * @param family as for public keys
   * @param method the signing method, which says the curve where the key's file does not
   */
  static PrivateKey privateKey(byte[] file, String family, String method) throws GeneralSecurityException {
    Block block = block(file, true);
    byte[] der =
        switch (block.type) {
          case "RSA PRIVATE KEY" -> wrapped(RSA_ALGORITHM, block.der);
          case "EC PRIVATE KEY" -> wrapped(CURVES.get(method.substring(2)), block.der);
          default -> block.der;
        };
    return KeyFactory.getInstance(family).generatePrivate(new PKCS8EncodedKeySpec(der));
  }

  /** PKCS 8: version, algorithm, the elder form as an octet string. */
  private static byte[] wrapped(String algorithm, byte[] key) {
    return element(0x30, join(new byte[] {0x02, 0x01, 0x00}, HexFormat.of().parseHex(algorithm), element(0x04, key)));
  }

  private static byte[] element(int tag, byte[] content) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(tag);
    int length = content.length;
    if (length < 0x80) {
      out.write(length);
    } else {
      int bytes = length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
      out.write(0x80 | bytes);
      for (int i = bytes - 1; i >= 0; i--) {
        out.write(length >> 8 * i);
      }
    }
    out.writeBytes(content);
    return out.toByteArray();
  }

  private static byte[] join(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }
}
