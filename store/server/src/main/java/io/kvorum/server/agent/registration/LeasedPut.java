package io.kvorum.server.agent.registration;

import com.google.protobuf.ByteString;
import java.util.concurrent.CompletableFuture;

/** A put under a lease that is made for it. */
@FunctionalInterface
interface LeasedPut {
  /**
   * Makes the lease and puts.
   *
   * @param lease id, used for nothing before
   * @return the granted time to live in seconds; fails with {@code StatusRuntimeException}, which leaves open what was done
   */
  CompletableFuture<Long> put(ByteString key, ByteString value, long lease, long ttlSeconds);
}
