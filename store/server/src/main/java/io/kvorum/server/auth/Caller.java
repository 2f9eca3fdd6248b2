package io.kvorum.server.auth;

import io.kvorum.server.base.EtcdError;

/**
 * On whose behalf a call is made.
 *
 * @param name the user, empty for nobody
 * @param revision auth revision at which the user was recognised, 0 for nobody
 * @param refusal why the credentials are not good, null when they are, or when there are none
 */
public record Caller(String name, long revision, EtcdError refusal) {
  /** Without credentials, or while auth is off. */
  public static final Caller NOBODY = new Caller("", 0, null);

  static final Caller INVALID = new Caller("", 0, EtcdError.INVALID_AUTH_TOKEN);

  static Caller of(String name, long revision) {
    return new Caller(name, revision, null);
  }
}
