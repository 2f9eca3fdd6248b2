package io.kvorum.server.lease;

import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesResponse;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveResponse;
import io.kvorum.server.base.Completion;

/**
 * Asks another member, the leader, one attempt per call. Every call completes within the request limit, on any thread, with the leader's answer or with
 * whatever status came back; the caller decides what to try again.
 */
public interface LeaseForwarder {
  /** @param leader member id of the leader as last known */
  void renew(long leader, LeaseKeepAliveRequest request, Completion<LeaseKeepAliveResponse> completion);

  void timeToLive(long leader, LeaseTimeToLiveRequest request, Completion<LeaseTimeToLiveResponse> completion);

  void leases(long leader, LeaseLeasesRequest request, Completion<LeaseLeasesResponse> completion);
}
