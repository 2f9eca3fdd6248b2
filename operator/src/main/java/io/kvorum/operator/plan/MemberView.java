package io.kvorum.operator.plan;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumMemberSpec;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.observe.Observation.ClaimState;
import io.kvorum.operator.observe.Observation.NodeState;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.observe.StoreState.ListedMember;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import java.util.Optional;

/**
 * One member object with all that belongs to it.
 *
 * @param node that its pod runs on
 * @param answer of this pass, not older than {@link Situation#FRESH}
 * @param listed its entry in the member list
 * @param corrupt the CORRUPT alarm is raised for it
 */
public record MemberView(
    KvorumMember object, Optional<PodState> pod, Optional<ClaimState> claim, Optional<NodeState> node, Optional<MemberAnswer> answer,
    Optional<ListedMember> listed, boolean corrupt) {

  /** Its name. */
  public String name() {
    return object.getSpec().memberName();
  }

  /** Its identity. */
  public KvorumMemberSpec spec() {
    return object.getSpec();
  }

  /** What was last written of it. */
  public KvorumMemberStatus status() {
    return object.getStatus() == null ? KvorumMemberStatus.EMPTY : object.getStatus();
  }

  /** Its id in the cluster, 0 before the cluster has accepted it. */
  public long id() {
    return listed.map(ListedMember::id).orElseGet(() -> Api.id(status().memberID()));
  }

  /** It votes, as the member list says, and without a list as was last known. */
  public boolean voter(boolean listKnown) {
    return listKnown
        ? listed.isPresent() && !listed.get().learner()
        : status().role() == KvorumMemberStatus.Role.VOTER || status().role() == KvorumMemberStatus.Role.LEADER;
  }

  /** The user asked for its replacement by deleting its object. */
  public boolean deletedByUser() {
    return object.getMetadata().getDeletionTimestamp() != null;
  }

  /** Its volume is gone. */
  public boolean volumeLost() {
    return claim.isEmpty() || claim.get().lost();
  }

  /** Its pod runs, is not on its way out, and says that it serves. */
  public boolean podReady() {
    return pod.isPresent() && pod.get().ready() && !pod.get().terminating();
  }

  /** Its pod is on a node that exists and does not report: the process may still run there. */
  public boolean unreachable() {
    return pod.isPresent() && node.isPresent() && node.get().present() && !node.get().ready();
  }

  /** Evidence that something is wrong with it. No answer is no evidence. */
  public boolean broken() {
    return volumeLost() || corrupt || !podReady() || (answer.isPresent() && !answer.get().ready());
  }

  /** The zone of its node, empty when unknown. */
  public String zone() {
    return node.map(NodeState::zone).orElse("");
  }
}
