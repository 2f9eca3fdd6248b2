package io.kvorum.server.apply;

import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.LeaseCheckpointRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.server.base.EtcdError;
import java.util.List;

/** The replicated leases, as apply sees them. */
public interface LeaseState extends MachinePart {
  boolean contains(long id);

  /** Adds a lease (the id is already chosen, the TTL already raised to the minimum). Returns null, or the refusal. */
  EtcdError grant(LeaseGrantRequest request);

  /** Keys attached to a lease, in key order; empty when unknown. */
  List<byte[]> keysOf(long id);

  /** Forgets a lease whose keys were just deleted. */
  void revoked(long id);

  void checkpoint(LeaseCheckpointRequest request);

  /** Attaches and detaches according to one applied change. */
  void changed(Change change);

  /** Rebuilds all attachments from the store after {@link #restore}. */
  void rebuildAttachments(MvccStore store);
}
