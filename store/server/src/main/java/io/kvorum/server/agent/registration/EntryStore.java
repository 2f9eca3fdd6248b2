package io.kvorum.server.agent.registration;

import com.google.protobuf.ByteString;
import java.util.concurrent.CompletableFuture;

/** What a registration does in the cluster. Each call ends within a written bound; failures are {@code StatusRuntimeException}s and may leave the outcome open. */
interface EntryStore {
  /**
   * Makes a lease and puts the entry under it.
   *
   * @param lease id, used for nothing before
   * @return the time to live that the cluster granted, in seconds
   */
  CompletableFuture<Long> write(ByteString key, ByteString value, long lease, long ttlSeconds);

  /** Renews a lease and looks who holds the entry. */
  CompletableFuture<Renewal> renew(ByteString key, long lease);

  /** Revokes a lease; one that does not exist is a success. */
  CompletableFuture<Void> revoke(long lease);

  /**
   * What became of a renewal.
   *
   * @param ttlSeconds granted anew; 0 when the lease does not exist
   * @param holder of the entry, when the lease exists
   */
  record Renewal(long ttlSeconds, Event.Holder holder) {}
}
