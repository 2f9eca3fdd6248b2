package io.kvorum.server.base;

import java.security.spec.InvalidKeySpecException;
import java.util.List;
import java.util.NoSuchElementException;

/** The older forms of private keys as PKCS #8, which is what the runtime reads. */
public final class PrivateKeyForms {
  private static final byte[] VERSION = {0x02, 0x01, 0x00};
  private static final byte[] NULL = {0x05, 0x00};
  private static final String RSA = "1.2.840.113549.1.1.1";
  private static final String EC = "1.2.840.10045.2.1";
  private static final int CURVE_FIELD = 0;
  private static final int PUBLIC_FIELD = 1;
  private static final int ALGORITHM_ELEMENT = 1;
  private static final int KEY_ELEMENT = 2;

  private PrivateKeyForms() {}

  /**
   * A key in PKCS #8.
   *
   * @param kind what the PEM block says: {@code RSA PRIVATE KEY} (PKCS #1), {@code EC PRIVATE KEY} (SEC 1), else it is PKCS #8 already
   * @throws InvalidKeySpecException when it is something else, or an EC key that does not name its curve
   */
  public static byte[] pkcs8(String kind, byte[] der) throws InvalidKeySpecException {
    return switch (kind) {
      case "RSA PRIVATE KEY" -> wrapped(algorithm(RSA, NULL), der);
      case "EC PRIVATE KEY" -> wrapped(algorithm(EC, curve(der)), der);
      default -> der;
    };
  }

  /** A public key in PKCS #1 as the runtime reads it. */
  public static byte[] rsaPublicKey(byte[] pkcs1) {
    return Der.sequence(algorithm(RSA, NULL), Der.bits(pkcs1));
  }

  private static byte[] algorithm(String identifier, byte[] parameters) {
    return Der.sequence(Der.objectIdentifier(identifier), parameters);
  }

  private static byte[] wrapped(byte[] algorithm, byte[] key) {
    return Der.sequence(VERSION, algorithm, Der.element(Der.OCTET_STRING, key));
  }

  /**
   * The public key that a private EC key carries along, as the runtime reads it.
   *
   * @throws InvalidKeySpecException when it carries none
   */
  public static byte[] ecPublicKey(String kind, byte[] der) throws InvalidKeySpecException {
    try {
      List<Der.Element> whole = Der.elements(pkcs8(kind, der)).getFirst().inside();
      byte[] algorithm = Der.element(Der.SEQUENCE, whole.get(ALGORITHM_ELEMENT).content());
      for (Der.Element field : Der.elements(whole.get(KEY_ELEMENT).content()).getFirst().inside()) {
        if (field.tag() == Der.field(PUBLIC_FIELD, true)) {
          return Der.sequence(algorithm, field.content());
        }
      }
    } catch (IllegalArgumentException | IndexOutOfBoundsException | NoSuchElementException notThisForm) {
      // Said below without quoting the key.
    }
    throw new InvalidKeySpecException("not an EC key that carries its public key");
  }

  private static byte[] curve(byte[] sec1) throws InvalidKeySpecException {
    try {
      for (Der.Element field : Der.elements(sec1).getFirst().inside()) {
        if (field.tag() == Der.field(CURVE_FIELD, true)) {
          return field.content();
        }
      }
    } catch (IllegalArgumentException | NoSuchElementException notThisForm) {
      // Said below without quoting the key.
    }
    throw new InvalidKeySpecException("not an EC key that names its curve");
  }
}
