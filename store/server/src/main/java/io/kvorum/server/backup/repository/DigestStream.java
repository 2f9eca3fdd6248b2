package io.kvorum.server.backup.repository;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Gives a stream's bytes and checks at the end that they are those with the SHA-256 that is expected; the end is not given otherwise. */
final class DigestStream extends FilterInputStream {
  /** Looks at the digest of the whole. */
  @FunctionalInterface
  interface Check {
    void ended(byte[] sha256) throws IOException;
  }

  private final MessageDigest digest = sha256();
  private final Check check;
  private boolean ended;

  DigestStream(InputStream in, Check check) {
    super(in);
    this.check = check;
  }

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every runtime", e);
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int n = super.read(buffer, offset, length);
    if (n > 0) {
      digest.update(buffer, offset, n);
    } else if (n < 0 && !ended) {
      check.ended(digest.digest());
      ended = true;
    }
    return n;
  }

  @Override
  public long skip(long n) throws IOException {
    return readNBytes((int) Math.min(n, Frames.CONTENT_BYTES)).length;
  }

  @Override
  public boolean markSupported() {
    return false;
  }
}
