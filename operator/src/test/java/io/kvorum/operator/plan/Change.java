package io.kvorum.operator.plan;

import io.kvorum.operator.observe.Observation.ClaimState;
import io.kvorum.operator.observe.Observation.NodeState;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.observe.Observation.ResizeProblem;
import io.kvorum.operator.observe.StoreState.ClockReading;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/** One thing changed in an observed record. */
final class Change {
  private Change() {}

  static PodState template(PodState pod, String hash) {
    return new PodState(pod.member(), pod.uid(), pod.createdAt(), hash, pod.version(), pod.ready(), pod.started(), pod.terminating(), pod.node(),
        pod.waitingReason(), pod.restarts(), pod.servesClients());
  }

  static PodState waiting(PodState pod, String reason) {
    return new PodState(pod.member(), pod.uid(), pod.createdAt(), pod.templateHash(), pod.version(), false, false, pod.terminating(), pod.node(), reason, 0,
        pod.servesClients());
  }

  static PodState terminating(PodState pod) {
    return new PodState(pod.member(), pod.uid(), pod.createdAt(), pod.templateHash(), pod.version(), pod.ready(), pod.started(), true, pod.node(),
        pod.waitingReason(), pod.restarts(), pod.servesClients());
  }

  static PodState serving(PodState pod, boolean serves) {
    return new PodState(pod.member(), pod.uid(), pod.createdAt(), pod.templateHash(), pod.version(), pod.ready(), pod.started(), pod.terminating(), pod.node(),
        pod.waitingReason(), pod.restarts(), serves);
  }

  static ClaimState lost(ClaimState claim) {
    return new ClaimState(claim.member(), claim.name(), claim.uid(), claim.bound(), true, false, claim.requestedBytes(), claim.actualBytes(), false, claim.copied());
  }

  static ClaimState sized(ClaimState claim, long requested, long actual, boolean restart) {
    return new ClaimState(claim.member(), claim.name(), claim.uid(), true, false, false, requested, actual, restart, false);
  }

  static ClaimState stuck(ClaimState claim, String message, Instant at) {
    return new ClaimState(claim.member(), claim.name(), claim.uid(), true, false, false, claim.requestedBytes(), claim.actualBytes(), false, false,
        Optional.of(new ResizeProblem(message, at)));
  }

  static MemberAnswer clock(MemberAnswer answer, long aheadMillis, long uncertaintyMillis) {
    return new MemberAnswer(answer.member(), answer.at(), answer.clusterId(), answer.memberId(), answer.leaderId(), answer.term(), answer.term(),
        answer.raftIndex(), answer.appliedIndex(), answer.revision(), answer.databaseBytes(), answer.inUseBytes(), answer.learner(), answer.ready(),
        answer.kvorumVersion(), answer.clusterVersion(), answer.configHash(), answer.certificateFingerprints(), answer.errors(),
        Optional.of(new ClockReading(aheadMillis, uncertaintyMillis)));
  }

  static NodeState cordoned(NodeState node) {
    return new NodeState(node.name(), node.zone(), node.present(), node.ready(), true, node.noExecute());
  }

  static NodeState down(NodeState node) {
    return new NodeState(node.name(), node.zone(), true, false, false, false);
  }

  static MemberAnswer leader(MemberAnswer answer, long leader, long term) {
    return new MemberAnswer(answer.member(), answer.at(), answer.clusterId(), answer.memberId(), leader, term, term, answer.raftIndex(), answer.appliedIndex(),
        answer.revision(), answer.databaseBytes(), answer.inUseBytes(), answer.learner(), answer.ready(), answer.kvorumVersion(), answer.clusterVersion(),
        answer.configHash(), answer.certificateFingerprints(), answer.errors());
  }

  static MemberAnswer applied(MemberAnswer answer, long applied) {
    return new MemberAnswer(answer.member(), answer.at(), answer.clusterId(), answer.memberId(), answer.leaderId(), answer.term(), answer.term(), applied, applied,
        answer.revision(), answer.databaseBytes(), answer.inUseBytes(), answer.learner(), answer.ready(), answer.kvorumVersion(), answer.clusterVersion(),
        answer.configHash(), answer.certificateFingerprints(), answer.errors());
  }

  static MemberAnswer cluster(MemberAnswer answer, long cluster) {
    return new MemberAnswer(answer.member(), answer.at(), cluster, answer.memberId(), answer.leaderId(), answer.term(), answer.term(), answer.raftIndex(),
        answer.appliedIndex(), answer.revision(), answer.databaseBytes(), answer.inUseBytes(), answer.learner(), answer.ready(), answer.kvorumVersion(),
        answer.clusterVersion(), answer.configHash(), answer.certificateFingerprints(), answer.errors());
  }

  static MemberAnswer sizes(MemberAnswer answer, long database, long used) {
    return new MemberAnswer(answer.member(), answer.at(), answer.clusterId(), answer.memberId(), answer.leaderId(), answer.term(), answer.term(),
        answer.raftIndex(), answer.appliedIndex(), answer.revision(), database, used, answer.learner(), answer.ready(), answer.kvorumVersion(),
        answer.clusterVersion(), answer.configHash(), answer.certificateFingerprints(), answer.errors());
  }

  static MemberAnswer fingerprints(MemberAnswer answer, String... prints) {
    return new MemberAnswer(answer.member(), answer.at(), answer.clusterId(), answer.memberId(), answer.leaderId(), answer.term(), answer.term(),
        answer.raftIndex(), answer.appliedIndex(), answer.revision(), answer.databaseBytes(), answer.inUseBytes(), answer.learner(), answer.ready(),
        answer.kvorumVersion(), answer.clusterVersion(), answer.configHash(), Set.of(prints), answer.errors());
  }
}
