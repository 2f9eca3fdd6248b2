package io.kvorum.server.auth;

import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.LogRequestHeader;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.MembershipChange;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.Proposals;

/** The way into the log for services: each request carries who makes the current call. What is proposed outside of a call is nobody's. */
public final class ClientProposals implements Proposals {
  private final Proposals log;
  private final Access access;

  public ClientProposals(Proposals log, Access access) {
    this.log = log;
    this.access = access;
  }

  @Override
  public <T> void propose(LogRequest.Builder request, Completion<T> completion) {
    Caller caller = access.caller();
    if (caller.refusal() != null) {
      completion.failed(caller.refusal().exception());
      return;
    }
    if (caller == Caller.NOBODY) {
      request.clearHeader();
    } else {
      request.setHeader(LogRequestHeader.newBuilder().setUsername(caller.name()).setAuthRevision(caller.revision()));
    }
    log.propose(request, completion);
  }

  /** Carries no caller: asking for permission comes before. */
  @Override
  public void proposeMembership(MembershipChange.Kind kind, long memberId, MemberContext.Builder context, Completion<ResponseHeader> completion) {
    log.proposeMembership(kind, memberId, context, completion);
  }
}
