package io.kvorum.server.apply;

import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.EtcdError;

/** One concern that may refuse a request before anything changes. Decides from replicated state alone. */
interface Gate {
  /** Null to let the request through. */
  EtcdError refusal(RequestKind kind, LogRequest request);
}
