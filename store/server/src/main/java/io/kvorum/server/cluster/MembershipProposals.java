package io.kvorum.server.cluster;

import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.MembershipChange;
import io.kvorum.server.base.Completion;

/** Puts membership changes into the log and hears what became of them. */
@FunctionalInterface
public interface MembershipProposals {
  /**
   * Completes with null once the change is applied here, or fails: with what apply refused it with, or with the time-out family after the request limit. A change that
   * consensus refuses for now (another one is under way, no entry of this term is committed yet) is tried again until then.
   *
   * @param context what is known of the member; the request id is set here
   */
  void propose(MembershipChange.Kind kind, MemberContext.Builder context, Completion<Void> completion);
}
