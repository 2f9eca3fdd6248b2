package io.kvorum.server.cluster;

import io.kvorum.protocol.etcdserverpb.MemberPromoteRequest;
import io.kvorum.protocol.etcdserverpb.MemberPromoteResponse;
import io.kvorum.server.base.Completion;

/** Hands a promotion to the leader, which alone knows how far the learner is. */
@FunctionalInterface
public interface PromoteForwarder {
  /** Fails with the leader's refusal, or UNAVAILABLE when it cannot be reached. */
  void promote(long leader, MemberPromoteRequest request, Completion<MemberPromoteResponse> completion);
}
