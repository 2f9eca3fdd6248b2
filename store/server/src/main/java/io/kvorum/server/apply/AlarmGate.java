package io.kvorum.server.apply;

import io.kvorum.protocol.etcdserverpb.AlarmType;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.EtcdError;

/** Refuses what a raised alarm forbids: with CORRUPT whatever touches keys or leases, with NOSPACE whatever adds data. CORRUPT is the stronger one. */
final class AlarmGate implements Gate {
  private final Alarms alarms;

  AlarmGate(Alarms alarms) {
    this.alarms = alarms;
  }

  @Override
  public EtcdError refusal(RequestKind kind, LogRequest request) {
    if (alarms.active().isEmpty()) {
      return null;
    }
    if (alarms.isActive(AlarmType.CORRUPT) && touchesData(kind)) {
      return EtcdError.CORRUPT_CLUSTER;
    }
    return alarms.isActive(AlarmType.NOSPACE) && addsData(kind, request) ? EtcdError.NO_SPACE : null;
  }

  private static boolean touchesData(RequestKind kind) {
    return switch (kind) {
      case PUT, TXN, DELETE_RANGE, COMPACTION, LEASE_GRANT, LEASE_REVOKE, PUT_WITH_LEASE -> true;
      case LEASE_CHECKPOINT, ALARM, CLUSTER_VERSION_SET, MEMBER_ATTRIBUTES_SET, DOWNGRADE_SET, FEATURE_LEVEL_SET, AUTH, UNKNOWN -> false;
    };
  }

  private static boolean addsData(RequestKind kind, LogRequest request) {
    return switch (kind) {
      case PUT, LEASE_GRANT, PUT_WITH_LEASE -> true;
      case TXN -> PutCost.of(request.getTxn()) > 0;
      case DELETE_RANGE, COMPACTION, LEASE_REVOKE, LEASE_CHECKPOINT, ALARM, CLUSTER_VERSION_SET, MEMBER_ATTRIBUTES_SET, DOWNGRADE_SET, FEATURE_LEVEL_SET,
          AUTH, UNKNOWN ->
          false;
    };
  }
}
