package io.kvorum.server.apply;

import io.kvorum.mvcc.WriteTxn;
import io.kvorum.protocol.etcdserverpb.LeaseCheckpointRequest;
import io.kvorum.protocol.etcdserverpb.LeaseCheckpointResponse;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantResponse;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeResponse;
import io.kvorum.server.base.EtcdError;
import java.util.List;

/** Grants, revocations and checkpoints of leases. */
final class LeaseApplier {
  private final Writes writes;
  private final LeaseState leases;
  private final ApplyMeter meter;

  LeaseApplier(Writes writes, LeaseState leases, ApplyMeter meter) {
    this.writes = writes;
    this.leases = leases;
    this.meter = meter;
  }

  Result grant(LeaseGrantRequest request, boolean heard) {
    EtcdError refusal = leases.grant(request);
    if (refusal != null) {
      return new Result.Refusal(refusal);
    }
    return heard
        ? new Result.Answer(
            LeaseGrantResponse.newBuilder().setHeader(KeyApplier.header(writes.revision())).setID(request.getID()).setTTL(request.getTTL()).build())
        : Result.UNHEARD;
  }

  /** Deletes all attached keys, by key, in one revision. */
  Result revoke(LeaseRevokeRequest request, boolean heard) {
    long id = request.getID();
    if (!leases.contains(id)) {
      return new Result.Refusal(EtcdError.LEASE_NOT_FOUND);
    }
    WriteTxn txn = writes.begin();
    List<byte[]> keys = leases.keysOf(id);
    for (byte[] key : keys) {
      txn.deleteRange(key, new byte[0]);
      meter.deletion();
    }
    meter.txn(keys.size());
    writes.end(txn);
    leases.revoked(id);
    return heard ? new Result.Answer(LeaseRevokeResponse.newBuilder().setHeader(KeyApplier.header(writes.revision())).build()) : Result.UNHEARD;
  }

  Result checkpoint(LeaseCheckpointRequest request, boolean heard) {
    leases.checkpoint(request);
    return heard ? new Result.Answer(LeaseCheckpointResponse.newBuilder().setHeader(KeyApplier.header(writes.revision())).build()) : Result.UNHEARD;
  }
}
