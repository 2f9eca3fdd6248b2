package io.kvorum.server.lease;

import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesResponse;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveResponse;
import io.kvorum.server.base.Completion;

/**
 * What only the leader can say about leases, answered on this member from memory, without forwarding. The peer service answers forwarded calls with it. Each
 * method may be called by any thread and completes on the calling thread when it can. Fails with NOT_PRIMARY_LESSOR when this member does not lead, or has
 * not yet applied everything from earlier terms (the caller tries again elsewhere or later), and with TIMED_OUT_WAITING_FOR_APPLIED_INDEX when what is
 * committed was not applied within a second.
 */
public interface LeaseLeader {
  /** Renews; TTL 0 in the answer when the lease does not exist. A lease that is being revoked is answered once it is gone. */
  void renew(LeaseKeepAliveRequest request, Completion<LeaseKeepAliveResponse> completion);

  /** TTL -1 in the answer when the lease does not exist. Fails with LEADER_CHANGED when leadership was lost meanwhile. */
  void timeToLive(LeaseTimeToLiveRequest request, Completion<LeaseTimeToLiveResponse> completion);

  /** All ids, those that end first in front. */
  void leases(LeaseLeasesRequest request, Completion<LeaseLeasesResponse> completion);
}
