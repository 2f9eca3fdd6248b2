package io.kvorum.server.auth;

/** What clients carry instead of a password. */
public interface Tokens {
  /**
   * The user that a token stands for; {@link Caller#INVALID} when it stands for nobody, or no longer.
   *
   * @param revision auth revision of this member
   */
  Caller resolve(String token, long revision);

  /** Log index that must be applied before the token can be known here; 0 when any member knows it at once. */
  long knownFrom(String token);

  /** A new random token without its index, or empty when tokens are {@link #sign signed}. */
  String random();

  /**
   * A token for a user that has just logged in. Takes processor time.
   *
   * @param replicated what the log made of {@link #random}
   */
  String sign(String user, long revision, String replicated);

  /** Forgets what has ended. */
  void sweep();
}
