package io.kvorum.server.cluster;

import io.kvorum.protocol.internal.MembersResponse;
import java.util.List;
import java.util.Optional;

/** Asks members of a running cluster who they are, before this member has an id. */
@FunctionalInterface
public interface PeerDirectory {
  /**
   * Asks all URLs at the same time.
   *
   * @param timeoutMillis for all of them together
   * @return the first good answer; empty when none came in time
   */
  Optional<MembersResponse> ask(List<String> peerUrls, long timeoutMillis);
}
