package io.kvorum.server.apply;

import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.EtcdError;

/** Refuses what the caller has no permission for. */
final class AuthGate implements Gate {
  private final AuthRules auth;
  private final LeaseState leases;

  AuthGate(AuthRules auth, LeaseState leases) {
    this.auth = auth;
    this.leases = leases;
  }

  @Override
  public EtcdError refusal(RequestKind kind, LogRequest request) {
    return auth.refusal(kind, request, leases);
  }
}
