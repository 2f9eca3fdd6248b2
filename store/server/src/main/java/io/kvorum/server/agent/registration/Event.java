package io.kvorum.server.agent.registration;

/** What {@link Lifecycle} hears. Each effect that calls the cluster is answered by exactly one event. */
sealed interface Event {
  /** The readiness probe came back. */
  record Probed(Readiness readiness) implements Event {}

  /**
   * {@link Effect.Write} succeeded.
   *
   * @param ttlSeconds what the cluster granted; at least what was asked for
   */
  record Written(long lease, long ttlSeconds) implements Event {}

  /** {@link Effect.Write} failed, or nobody knows: the lease may be there, with or without the entry. */
  record WriteFailed(long lease, String reason) implements Event {}

  /**
   * {@link Effect.Renew} succeeded.
   *
   * @param ttlSeconds from the moment at which the call was made
   */
  record Renewed(long lease, long ttlSeconds, Holder holder) implements Event {}

  /** {@link Effect.Renew}: the cluster does not know the lease any more. */
  record LeaseGone(long lease) implements Event {}

  /** {@link Effect.Renew} failed, or nobody knows. */
  record RenewFailed(long lease, String reason) implements Event {}

  /** {@link Effect.Revoke} succeeded, or there was no such lease. */
  record Revoked(long lease) implements Event {}

  /** {@link Effect.Revoke} failed, or nobody knows. */
  record RevokeFailed(long lease, String reason) implements Event {}

  /**
   * The entry is to go and not to come back.
   *
   * @param reason {@link Reason#DEREGISTERED} or {@link Reason#STOPPED}
   */
  record Withdraw(Reason reason) implements Event {}

  /** Time has passed. */
  record Tick() implements Event {}

  /** Who has the entry, found when the lease was renewed. */
  enum Holder {
    /** Our lease. */
    OURS,
    /** There is no entry. */
    NOBODY,
    /** Another lease, or none. */
    ANOTHER,
    /** The question was not answered. */
    UNKNOWN
  }
}
