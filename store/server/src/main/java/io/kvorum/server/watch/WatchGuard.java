package io.kvorum.server.watch;

import io.grpc.Status;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;

/** Decides whether the caller may watch what it asks for. Asked once for each create request, on the call's event loop, in the call's context. */
@FunctionalInterface
public interface WatchGuard {
  WatchGuard ALLOW_ALL = request -> Status.OK;

  /** OK, or the refusal that the client is to read. Must not block. */
  Status check(WatchCreateRequest request);
}
