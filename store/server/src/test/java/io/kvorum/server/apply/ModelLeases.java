package io.kvorum.server.apply;

import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.LeaseCheckpointRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.StoredLease;
import io.kvorum.server.base.EtcdError;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/** Leases as sorted maps. */
public final class ModelLeases implements LeaseState {
  private final TreeMap<Long, StoredLease> leases = new TreeMap<>();
  private final TreeMap<Long, TreeSet<byte[]>> attached = new TreeMap<>();

  @Override
  public boolean contains(long id) {
    return leases.containsKey(id);
  }

  @Override
  public EtcdError grant(LeaseGrantRequest request) {
    if (leases.containsKey(request.getID())) {
      return EtcdError.LEASE_ALREADY_EXISTS;
    }
    leases.put(request.getID(), StoredLease.newBuilder().setId(request.getID()).setTtl(request.getTTL()).build());
    return null;
  }

  @Override
  public List<byte[]> keysOf(long id) {
    return List.copyOf(attached.getOrDefault(id, new TreeSet<>(Arrays::compareUnsigned)));
  }

  @Override
  public void revoked(long id) {
    leases.remove(id);
    attached.remove(id);
  }

  @Override
  public void checkpoint(LeaseCheckpointRequest request) {
    request
        .getCheckpointsList()
        .forEach(point -> leases.computeIfPresent(point.getID(), (id, lease) -> lease.toBuilder().setRemainingTtl(point.getRemainingTTL()).build()));
  }

  @Override
  public void changed(Change change) {
    if (change.previousLease() != 0 && attached.containsKey(change.previousLease())) {
      attached.get(change.previousLease()).remove(change.key());
    }
    if (change.lease() != 0) {
      attached.computeIfAbsent(change.lease(), any -> new TreeSet<>(Arrays::compareUnsigned)).add(change.key());
    }
  }

  @Override
  public void rebuildAttachments(MvccStore store) {
    attached.clear();
    store.forEachLeased((key, lease) -> attached.computeIfAbsent(lease, any -> new TreeSet<>(Arrays::compareUnsigned)).add(key));
  }

  @Override
  public void save(MachineState.Builder checkpoint) {
    checkpoint.addAllLeases(leases.values());
  }

  @Override
  public void restore(MachineState checkpoint) {
    leases.clear();
    checkpoint.getLeasesList().forEach(lease -> leases.put(lease.getId(), lease));
  }
}
