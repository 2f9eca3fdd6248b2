package io.kvorum.server.auth;

import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.LogRequestHeader;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.MembershipChange;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.Proposals;

/** The way into the log for what a member does on its own account: it needs no permission. Never to be given to anything that acts for clients. */
public final class OwnProposals implements Proposals {
  private final Proposals log;

  public OwnProposals(Proposals log) {
    this.log = log;
  }

  @Override
  public <T> void propose(LogRequest.Builder request, Completion<T> completion) {
    log.propose(request.setHeader(LogRequestHeader.newBuilder().setOwn(true)), completion);
  }

  @Override
  public void proposeMembership(MembershipChange.Kind kind, long memberId, MemberContext.Builder context, Completion<ResponseHeader> completion) {
    log.proposeMembership(kind, memberId, context, completion);
  }
}
