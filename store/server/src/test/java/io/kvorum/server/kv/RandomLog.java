package io.kvorum.server.kv;

import io.kvorum.protocol.internal.LogRequest;

/** {@link RandomRequests} for other packages' tests. */
public final class RandomLog {
  private final RandomRequests requests;

  public RandomLog(long seed) {
    this.requests = new RandomRequests(seed);
  }

  public LogRequest.Builder next(long revision) {
    return requests.next(revision);
  }
}
