package io.kvorum.raft.node;

/**
 * Times and bounds of a {@link RaftDriver}.
 *
 * @param tickMillis length of a tick, which is etcd's heartbeat interval. {@code RaftConfig.electionTicks} counts in it: election time-out
 *     divided by heartbeat interval
 * @param initialTicks ticks given at once at the start, below the election ticks (etcd's initial-election-tick-advance: election ticks - 1, so
 *     that a restarted cluster need not wait
 *     a whole election time-out). A sole voter campaigns at once in any case
 * @param requestTimeoutMillis how long a proposal is kept back for lack of a leader, and a read may wait (etcd: 5 s + 2 election time-outs)
 * @param readRetryMillis a read round that is unanswered is asked again after this time
 * @param maxProposals proposals that are queued or kept back; more are refused
 * @param maxProposalBytes their bytes
 * @param maxReads reads that wait; more are refused
 * @param maxMessageBytes bytes of received messages that are queued; more are dropped, as on a bad network
 * @param maxUnapplied committed entries that wait to be applied beyond which proposals are refused
 */
public record DriverOptions(
    long tickMillis,
    int initialTicks,
    long requestTimeoutMillis,
    long readRetryMillis,
    int maxProposals,
    long maxProposalBytes,
    int maxReads,
    long maxMessageBytes,
    long maxUnapplied) {
  public DriverOptions {
    if (tickMillis < 1 || initialTicks < 0 || requestTimeoutMillis < 1 || readRetryMillis < 1) {
      throw new IllegalArgumentException("times out of range");
    }
  }

  /** etcd's bounds for the given flags {@code --heartbeat-interval} and {@code --election-timeout}. */
  public static DriverOptions of(long heartbeatMillis, long electionMillis) {
    return new DriverOptions(heartbeatMillis, 0, 5000 + 2 * electionMillis, 500, 65_536, 256L << 20, 65_536, 256L << 20, 5000);
  }

  public DriverOptions withInitialTicks(int ticks) {
    return new DriverOptions(
        tickMillis, ticks, requestTimeoutMillis, readRetryMillis, maxProposals, maxProposalBytes, maxReads, maxMessageBytes, maxUnapplied);
  }

  public DriverOptions withTimes(long requestMillis, long retryMillis) {
    return new DriverOptions(tickMillis, initialTicks, requestMillis, retryMillis, maxProposals, maxProposalBytes, maxReads, maxMessageBytes, maxUnapplied);
  }

  public DriverOptions withBounds(int proposals, long proposalBytes, int reads) {
    return new DriverOptions(
        tickMillis, initialTicks, requestTimeoutMillis, readRetryMillis, proposals, proposalBytes, reads, maxMessageBytes, maxUnapplied);
  }
}
