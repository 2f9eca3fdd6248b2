package io.kvorum.server.agent.upstream;

import io.kvorum.server.config.TlsSettings;
import java.time.Duration;
import java.util.List;

/**
 * How the agent reaches the cluster.
 *
 * @param members at least one
 * @param tls of connections to secure members; its client files are the agent's own certificate
 * @param credentials as whom
 * @param dialTimeout how long a call waits for a member that can be reached
 * @param loginTimeout how long a login may take
 * @param keepAlive after how long without a byte a member with open calls is pinged; 10 s at least
 * @param keepAliveTimeout how long it has to answer
 * @param answerBytesMax largest answer that is taken, bytes
 */
public record UpstreamSettings(
    List<Address> members, TlsSettings tls, Credentials credentials, Duration dialTimeout, Duration loginTimeout, Duration keepAlive, Duration keepAliveTimeout,
    int answerBytesMax) {
  public UpstreamSettings {
    members = List.copyOf(members);
  }
}
