package io.kvorum.server.cluster;

/** How long the connections to other members have been up without a break. */
@FunctionalInterface
public interface Connectivity {
  /** Milliseconds since the connection to a member came up; -1 when it is down or the member is unknown. */
  long connectedMillis(long member);
}
