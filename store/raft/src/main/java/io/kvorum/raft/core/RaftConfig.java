package io.kvorum.raft.core;

/**
 * @param id this member, not 0
 * @param electionTicks ticks without a leader before an election, 5 or more heartbeats; the real timeout is drawn from [n, 2n)
 * @param heartbeatTicks ticks between heartbeats
 * @param maxMessageBytes entries in one APPEND
 * @param maxInflightBytes bytes on the way to one follower in the replicate state
 * @param maxInflightMessages messages on the way to one follower in the replicate state
 * @param maxUncommittedBytes bytes that a leader takes in before they commit; more is refused
 * @param maxCommittedBytes bytes of committed entries in one Ready
 */
public record RaftConfig(
    long id,
    int electionTicks,
    int heartbeatTicks,
    long maxMessageBytes,
    long maxInflightBytes,
    int maxInflightMessages,
    long maxUncommittedBytes,
    long maxCommittedBytes) {
  public static RaftConfig defaults(long id) {
    return new RaftConfig(id, 10, 1, 1 << 20, 16 << 20, 512, 256 << 20, 16 << 20);
  }
}
