package io.kvorum.server.agent.registration;

/** Answer of a readiness probe. */
sealed interface Readiness {
  /** It says yes. */
  record Ready() implements Readiness {}

  /**
   * It says no, or nobody listens there: counts at once.
   *
   * @param reason for logs
   */
  record Unready(String reason) implements Readiness {}

  /**
   * It says nothing in time: counts when it happens {@value Lifecycle#SILENCES_MAX} times in a row.
   *
   * @param reason for logs
   */
  record Silent(String reason) implements Readiness {}
}
