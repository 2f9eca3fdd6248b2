package io.kvorum.server.apply;

import io.kvorum.protocol.etcdserverpb.AlarmRequest;
import io.kvorum.protocol.etcdserverpb.AlarmResponse;
import io.kvorum.protocol.internal.FeatureLevelSetRequest;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.FeatureLevel;
import java.util.List;

/**
 * The chain that one request runs through: every {@link Gate} in order (alarms, then permissions), then the one applier that knows the
 * request.
 */
final class Dispatch {
  private final List<Gate> gates;
  private final KeyApplier keys;
  private final LeaseApplier leases;
  private final Alarms alarms;
  private final MemberState members;
  private final AuthRules auth;
  private final Writes writes;

  Dispatch(List<Gate> gates, KeyApplier keys, LeaseApplier leases, Alarms alarms, MemberState members, AuthRules auth, Writes writes) {
    this.gates = gates;
    this.keys = keys;
    this.leases = leases;
    this.alarms = alarms;
    this.members = members;
    this.auth = auth;
    this.writes = writes;
  }

  /**
   * Applies one request.
   *
   * @param index its place in the log, for messages
   * @param kind what it asks for
   * @param heard whether somebody waits for the answer
   * @throws EntryException if this software does not know the request
   */
  Result apply(long index, RequestKind kind, LogRequest request, boolean heard) {
    for (Gate gate : gates) {
      EtcdError refusal = gate.refusal(kind, request);
      if (refusal != null) {
        return new Result.Refusal(refusal);
      }
    }
    return switch (kind) {
      case PUT -> keys.put(request.getPut(), heard);
      case TXN -> keys.txn(request.getTxn(), heard);
      case DELETE_RANGE -> keys.deleteRange(request.getDeleteRange(), heard);
      case COMPACTION -> keys.compact(request.getCompaction(), heard);
      case LEASE_GRANT -> leases.grant(request.getLeaseGrant(), heard);
      case LEASE_REVOKE -> leases.revoke(request.getLeaseRevoke(), heard);
      case LEASE_CHECKPOINT -> leases.checkpoint(request.getLeaseCheckpoint(), heard);
      case PUT_WITH_LEASE -> keys.putWithLease(request.getPutWithLease(), heard);
      case ALARM -> alarm(request.getAlarm(), heard);
      case MEMBER_ATTRIBUTES_SET -> {
        members.setAttributes(request.getClusterMemberAttrSet());
        yield done(heard);
      }
      case CLUSTER_VERSION_SET -> {
        members.setClusterVersion(request.getClusterVersionSet());
        yield done(heard);
      }
      case DOWNGRADE_SET -> {
        members.setDowngrade(request.getDowngradeInfoSet());
        yield done(heard);
      }
      case FEATURE_LEVEL_SET -> featureLevel(index, request.getFeatureLevelSet(), heard);
      case AUTH -> auth(index, request, heard);
      case UNKNOWN -> throw new EntryException(index, "a request that this version does not know: fields " + request.getUnknownFields().asMap().keySet());
    };
  }

  private Result auth(long index, LogRequest request, boolean heard) {
    AuthRules.Outcome outcome = auth.apply(index, request, KeyApplier.header(writes.revision()));
    if (outcome.refusal() != null) {
      return new Result.Refusal(outcome.refusal());
    }
    return heard ? new Result.Answer(outcome.answer()) : Result.UNHEARD;
  }

  private Result alarm(AlarmRequest request, boolean heard) {
    var affected = alarms.apply(request);
    return heard
        ? new Result.Answer(AlarmResponse.newBuilder().setHeader(KeyApplier.header(writes.revision())).addAllAlarms(affected).build())
        : Result.UNHEARD;
  }

  private Result featureLevel(long index, FeatureLevelSetRequest request, boolean heard) {
    if (Integer.compareUnsigned(request.getLevel(), FeatureLevel.SUPPORTED) > 0) {
      throw new EntryException(
          index, "feature level " + Integer.toUnsignedString(request.getLevel()) + ", this version knows up to " + FeatureLevel.SUPPORTED);
    }
    members.setFeatureLevel(request);
    return done(heard);
  }

  private Result done(boolean heard) {
    return heard ? new Result.Answer(KeyApplier.header(writes.revision())) : Result.UNHEARD;
  }
}
