package io.kvorum.server.maintenance;

import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.server.base.Completion;

/** Asks other members for their content hashes. */
@FunctionalInterface
public interface PeerHashes {
  /**
   * One attempt, bounded in time.
   *
   * @param revision up to which changes count
   */
  void hash(long member, long revision, Completion<HashKVResponse> completion);
}
