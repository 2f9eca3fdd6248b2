package io.kvorum.server.agent;

import io.kvorum.server.logging.Log;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The tokens of local callers: the lines of a file, any of which lets in, so that one can be replaced without a gap. The file is looked at every second; calls that came
 * with a token which is no longer in it are ended. A file that cannot be read leaves the former tokens in force; an empty one lets nobody in.
 */
final class LocalTokens {
  private static final Log LOG = Log.of(LocalTokens.class);

  private final Path file;
  private final Map<Runnable, byte[]> calls = new ConcurrentHashMap<>();
  private volatile List<byte[]> digests;
  private boolean complained;

  /**
   * @throws IOException when the file cannot be read
   */
  LocalTokens(Path file) throws IOException {
    this.file = file;
    this.digests = read();
  }

  private List<byte[]> read() throws IOException {
    return Files.readAllLines(file, StandardCharsets.UTF_8).stream().map(String::strip).filter(line -> !line.isEmpty()).map(LocalTokens::digest).toList();
  }

  private static byte[] digest(String token) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  /** Looks at the file. */
  void look() {
    try {
      digests = read();
      complained = false;
    } catch (IOException e) {
      if (!complained) {
        complained = true;
        LOG.warn("cannot read the file of local tokens; those read before stay in force", "file", file.toString(), "error", String.valueOf(e.getMessage()));
      }
      return;
    }
    calls.forEach(
        (end, digest) -> {
          if (!knows(digest) && calls.remove(end) != null) {
            end.run();
          }
        });
  }

  boolean isValid(String token) {
    return knows(digest(token));
  }

  /** In the same time for all: by digest, so that neither content nor length shows. */
  private boolean knows(byte[] digest) {
    boolean known = false;
    for (byte[] each : digests) {
      known |= MessageDigest.isEqual(each, digest);
    }
    return known;
  }

  /**
   * Takes note of a call.
   *
   * @param end ends it when its token has been taken away
   */
  void began(String token, Runnable end) {
    byte[] digest = digest(token);
    calls.put(end, digest);
    if (!knows(digest) && calls.remove(end) != null) {
      end.run();
    }
  }

  void ended(Runnable end) {
    calls.remove(end);
  }
}
