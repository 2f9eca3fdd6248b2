package io.kvorum.server.peer;

import io.grpc.ManagedChannel;
import io.kvorum.server.cluster.PeerUrls;

/** Opens connections to peer URLs. */
@FunctionalInterface
public interface PeerChannels {
  /**
   * A channel that connects when it is used, over TLS when the scheme says so.
   *
   * @throws IllegalArgumentException if the scheme is not supported
   */
  ManagedChannel open(PeerUrls.Endpoint endpoint);
}
