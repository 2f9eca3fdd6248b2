package io.kvorum.server.auth;

import com.google.protobuf.Message;
import io.kvorum.server.base.EtcdError;

/**
 * What one request about users and roles comes to.
 *
 * @param after the state from now on; null when refused
 * @param answer null when refused
 * @param refusal null when done
 * @param userChanged whose tokens end, null for none
 */
record Step(AuthView after, Message answer, EtcdError refusal, String userChanged) {
  static Step to(AuthView after, Message answer) {
    return new Step(after, answer, null, null);
  }

  /** Nothing changes, the auth revision included. */
  static Step same(AuthView now, Message answer) {
    return new Step(now, answer, null, null);
  }

  static Step refused(EtcdError refusal) {
    return new Step(null, null, refusal, null);
  }

  Step endingTokensOf(String user) {
    return new Step(after, answer, refusal, user);
  }
}
