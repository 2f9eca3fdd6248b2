package io.kvorum.server.agent.upstream;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** As whom the agent calls, beside its client certificate. Secrets never show in {@link #toString}. */
public sealed interface Credentials {
  /** As nobody: the cluster has no users, or goes by the certificate's name. */
  record Nobody() implements Credentials {
    @Override
    public String toString() {
      return "nobody";
    }
  }

  /**
   * As a user of the cluster.
   *
   * @param password read again for each login
   */
  record User(String name, Password password) implements Credentials {
    @Override
    public String toString() {
      return "user " + name;
    }
  }

  /**
   * With a token that somebody else has made.
   *
   * @param token a JWT
   */
  record Bearer(String token) implements Credentials {
    @Override
    public String toString() {
      return "a given token";
    }
  }

  /** Where a password comes from. */
  @FunctionalInterface
  interface Password {
    /**
     * The password as it is now.
     *
     * @throws IOException when it cannot be read
     */
    String read() throws IOException;

    /** The content of a file, without white space at its ends. */
    static Password in(Path file) {
      return () -> new String(Files.readAllBytes(file), StandardCharsets.UTF_8).strip();
    }
  }
}
