package io.kvorum.server.base;

/**
 * Configured bounds.
 *
 * @param maxRequestBytes largest serialized log request
 * @param maxTxnOps operations in one list of a transaction
 * @param heartbeatMillis leader's heartbeat interval
 * @param electionMillis election timeout
 * @param quotaBytes database size above which writes are refused; 0 or less: none
 * @param watchProgressMillis interval of progress notifications
 */
public record Limits(int maxRequestBytes, int maxTxnOps, int heartbeatMillis, int electionMillis, long quotaBytes, long watchProgressMillis) {
  private static final int MESSAGE_OVERHEAD_BYTES = 512 << 10;

  /** Server-side limit of one request: 5 s + 2 election timeouts. */
  public long requestMillis() {
    return 5_000L + 2L * electionMillis;
  }

  /** Smallest lease time to live, seconds: ceil(1.5 election timeouts). */
  public long minLeaseTtlSeconds() {
    return (3L * electionMillis / 2 + 999) / 1000;
  }

  /** Largest message that is received, bytes: a request and 512 KiB. */
  public int maxMessageBytes() {
    return (int) Math.min(Integer.MAX_VALUE, (long) maxRequestBytes + MESSAGE_OVERHEAD_BYTES);
  }
}
