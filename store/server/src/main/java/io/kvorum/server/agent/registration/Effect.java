package io.kvorum.server.agent.registration;

/** What {@link Lifecycle} wants to be done. */
sealed interface Effect {
  /**
   * Make the lease and put the entry under it.
   *
   * @param lease id, used for nothing before
   * @param ttlSeconds of the lease
   */
  record Write(long lease, long ttlSeconds) implements Effect {}

  /** Renew the lease, then look who holds the entry. */
  record Renew(long lease) implements Effect {}

  /** Revoke the lease, which takes the entry away. */
  record Revoke(long lease) implements Effect {}

  /**
   * For logs and metrics.
   *
   * @param lease that it is about, 0 for none
   * @param times how often in a row, from 1 on
   * @param detail may be empty
   */
  record Note(Reason reason, long lease, int times, String detail) implements Effect {}
}
