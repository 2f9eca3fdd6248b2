package io.kvorum.server.base;

import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.MembershipChange;

/** The way into the replicated log. */
public interface Proposals {
  /**
   * Proposes one request and completes with what its apply returned on this member: the etcd response message, or the {@link EtcdError} that
   * apply refused it with. The message's header carries the revision alone; requests that etcd has no response for (cluster version, member attributes,
   * feature level, downgrade) are answered by a bare {@link ResponseHeader}. Bounds and refusals: more than 5,000 entries between committed and applied, or a full queue, is
   * TOO_MANY_REQUESTS; larger than max-request-bytes is REQUEST_IS_TOO_LARGE; no outcome within 5 s + 2 election timeouts is the time-out family
   * (DEADLINE_EXCEEDED when there was no leader to propose to).
   *
   * @param request the request, without its header id, which is set here
   * @param completion called once
   */
  <T> void propose(LogRequest.Builder request, Completion<T> completion);

  /**
   * Proposes one membership change and completes when it was applied on this member, or with the {@link EtcdError} that the member state refused it with.
   * Bounds and time-outs as for {@link #propose}.
   *
   * @param context what the entry says about the member, without its request id, which is set here
   * @param completion the answer carries the newest revision only
   */
  void proposeMembership(MembershipChange.Kind kind, long memberId, MemberContext.Builder context, Completion<ResponseHeader> completion);
}
