package io.kvorum.server.apply;

import com.google.protobuf.Message;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.EtcdError;

/** The replicated users, roles and permissions, as apply sees them. */
public interface AuthRules extends MachinePart {
  /**
   * Whether the caller that the request's header names may do this, by the state as of the entries before it.
   *
   * @param leases which keys a lease holds
   * @return null to let the request through
   */
  EtcdError refusal(RequestKind kind, LogRequest request, LeaseState leases);

  /**
   * Applies one request about users, roles or log-ins, which was let through.
   *
   * @param index its place in the log
   * @param header of the answer
   */
  Outcome apply(long index, LogRequest request, ResponseHeader header);

  /**
   * What became of a request.
   *
   * @param answer null when refused
   * @param refusal null when done
   */
  record Outcome(Message answer, EtcdError refusal) {}
}
