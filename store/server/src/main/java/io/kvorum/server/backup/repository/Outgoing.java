package io.kvorum.server.backup.repository;

import io.kvorum.server.backup.repository.BackupException.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.Arrays;

/**
 * Content on its way to the store: no faster than the limit, and the same as when its name was made.
 *
 * @param name of the object, for the message
 */
record Outgoing(Content content, byte[] sha256, String name, RateLimit limit) implements Content {
  private static final int BUFFER_BYTES = 64 << 10;

  static byte[] sha256(Content content) throws IOException {
    MessageDigest digest = DigestStream.sha256();
    try (DigestInputStream in = new DigestInputStream(content.open(), digest)) {
      byte[] buffer = new byte[BUFFER_BYTES];
      while (in.read(buffer) >= 0) {
        // The digest takes it.
      }
    }
    return digest.digest();
  }

  @Override
  public long bytes() {
    return content.bytes();
  }

  @Override
  public InputStream open() throws IOException {
    return new DigestStream(
        limit.limit(content.open()),
        sent -> {
          if (!Arrays.equals(sha256, sent)) {
            throw new BackupException(Reason.FAILED, name + ": the content changed while it was sent");
          }
        });
  }
}
