package io.kvorum.server.backup.repository;

import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/**
 * The format of an encrypted object: magic (8 bytes), salt (32), then frames of AES-256-GCM, each 64 KiB of content (the last one may be shorter, and is the only one when there is no
 * content) and its tag (16). The key belongs to the salt alone, so that frame numbers can be nonces: 3 zero bytes, the number of the frame (8, big-endian), 1 in the last frame, else 0.
 * So a frame that is altered, moved, left out or cut off does not pass. The object's name is authenticated with each frame: content of another name does not pass either.
 */
final class Frames {
  static final byte[] MAGIC = {'K', 'V', 'O', 'R', 'U', 'M', 'B', '1'};
  static final int SALT_BYTES = 32;
  static final int HEADER_BYTES = MAGIC.length + SALT_BYTES;
  static final int CONTENT_BYTES = 64 << 10;
  static final int TAG_BYTES = 16;

  private static final int NONCE_BYTES = 12;
  private static final int NUMBER_OFFSET = 3;

  private final Cipher cipher;
  private final SecretKey key;
  private final byte[] name;
  private long number;

  Frames(SecretKey key, byte[] name) {
    this.key = key;
    this.name = name;
    try {
      cipher = Cipher.getInstance("AES/GCM/NoPadding");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES/GCM is part of every runtime", e);
    }
  }

  /** Size of the object that holds so much content. */
  static long stored(long content) {
    long frames = Math.max(1, Math.ceilDiv(content, CONTENT_BYTES));
    return HEADER_BYTES + content + frames * TAG_BYTES;
  }

  /** Encrypts the next frame; returns its length. */
  int seal(byte[] content, int length, boolean last, byte[] into) throws GeneralSecurityException {
    return next(Cipher.ENCRYPT_MODE, content, length, last, into);
  }

  /**
   * Decrypts the next frame; returns the length of its content.
   *
   * @throws javax.crypto.AEADBadTagException if it is not that frame of that object
   */
  int open(byte[] frame, int length, boolean last, byte[] into) throws GeneralSecurityException {
    return next(Cipher.DECRYPT_MODE, frame, length, last, into);
  }

  private int next(int mode, byte[] in, int length, boolean last, byte[] into) throws GeneralSecurityException {
    byte[] nonce = new byte[NONCE_BYTES];
    for (int i = 0; i < Long.BYTES; i++) {
      nonce[NUMBER_OFFSET + i] = (byte) (number >>> Long.SIZE - Byte.SIZE * (i + 1));
    }
    nonce[NONCE_BYTES - 1] = (byte) (last ? 1 : 0);
    number++;
    cipher.init(mode, key, new GCMParameterSpec(TAG_BYTES * Byte.SIZE, nonce));
    cipher.updateAAD(name);
    return cipher.doFinal(in, 0, length, into, 0);
  }
}
