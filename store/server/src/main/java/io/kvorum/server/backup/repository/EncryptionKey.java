package io.kvorum.server.backup.repository;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.KDF;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.HKDFParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The 256-bit key of an encrypted repository. It is never used itself: HKDF-SHA-256 derives one key for each purpose (names, manifests, the check value) and one for each object, from the
 * object's own salt.
 */
public final class EncryptionKey {
  static final int BYTES = 32;
  private static final int FILE_BYTES_MAX = 256;
  private static final int HEX_DIGITS = 64;

  private final SecretKey master;
  private final SecretKey names;
  private final SecretKey manifests;
  private final SecretKey checks;

  EncryptionKey(byte[] key) {
    if (key.length != BYTES) {
      throw new IllegalArgumentException("a key of " + key.length + " bytes");
    }
    master = new SecretKeySpec(key, "HKDF");
    names = derive("kvorum backup names 1", new byte[0], "HmacSHA256");
    manifests = derive("kvorum backup manifests 1", new byte[0], "HmacSHA256");
    checks = derive("kvorum backup check 1", new byte[0], "HmacSHA256");
  }

  /**
   * Reads a key from a file: 32 bytes as they are, or as text 64 hexadecimal digits or base64, with or without a line feed.
   *
   * @throws BackupException {@code WRONG_KEY} if it is none of these, or cannot be read
   */
  public static EncryptionKey read(Path file) throws BackupException {
    byte[] content;
    try (InputStream in = Files.newInputStream(file)) {
      content = in.readNBytes(FILE_BYTES_MAX + 1);
    } catch (IOException e) {
      throw new BackupException(BackupException.Reason.WRONG_KEY, "the encryption key " + file + " cannot be read: " + e.getClass().getSimpleName());
    }
    byte[] key = content.length == BYTES ? content : decode(new String(content, StandardCharsets.ISO_8859_1).strip());
    if (key.length != BYTES) {
      throw new BackupException(
          BackupException.Reason.WRONG_KEY, "the encryption key " + file + " is neither 32 bytes nor 64 hexadecimal digits nor base64 of 32 bytes");
    }
    return new EncryptionKey(key);
  }

  /** The bytes that the text stands for; none if it stands for nothing. */
  private static byte[] decode(String text) {
    try {
      return text.length() == HEX_DIGITS ? HexFormat.of().parseHex(text) : Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      return new byte[0];
    }
  }

  /** The name of an object with that SHA-256. */
  byte[] name(byte[] sha256) {
    return mac(names, sha256);
  }

  /** What proves that a manifest was written by somebody who has the key. */
  byte[] manifestMac(byte[] manifest) {
    return mac(manifests, manifest);
  }

  /** Shows whether a key is the repository's, and nothing about it. */
  byte[] check(String repositoryId) {
    return mac(checks, repositoryId.getBytes(StandardCharsets.UTF_8));
  }

  SecretKey objectKey(byte[] salt) {
    return derive("kvorum backup object 1", salt, "AES");
  }

  private SecretKey derive(String purpose, byte[] salt, String algorithm) {
    try {
      byte[] label = purpose.getBytes(StandardCharsets.UTF_8);
      byte[] info = Arrays.copyOf(label, label.length + salt.length);
      System.arraycopy(salt, 0, info, label.length, salt.length);
      return KDF.getInstance("HKDF-SHA256").deriveKey(algorithm, HKDFParameterSpec.expandOnly(master, info, BYTES));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("HKDF-SHA256 is part of every runtime", e);
    }
  }

  private static byte[] mac(SecretKey key, byte[] data) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      return mac.doFinal(data);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("HmacSHA256 is part of every runtime", e);
    }
  }

  @Override
  public String toString() {
    return "EncryptionKey";
  }
}
