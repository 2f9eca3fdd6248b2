package io.kvorum.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.CurrentAction.Type;
import io.kvorum.operator.api.KvorumClusterStatus.Memory;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.observe.Observation.Certificate;
import io.kvorum.operator.observe.Observation.Certificates;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import io.kvorum.operator.observe.StoreState.ListedMember;
import io.kvorum.operator.plan.Plan.Reason;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which rung decides, and what it does first. */
class LadderTest {
  private static Action action(Scene scene) {
    return scene.plan().action().orElseThrow();
  }

  @Test
  void aClusterAsSpecifiedIsLeftAlone() {
    Plan plan = Scene.of(3).plan();
    assertThat(plan.action()).isEmpty();
    assertThat(plan.progress().reason()).isEqualTo(Reason.STABLE);
    assertThat(plan.events()).isEmpty();
  }

  @Test
  void deletingStopsThePodsAndEndsWithoutRemovingAnyMember() {
    Scene scene = Scene.of(3);
    scene.cluster.getMetadata().setDeletionTimestamp("2026-06-01T11:00:00Z");
    assertThat(action(scene)).isEqualTo(new Action.DeletePod("c-0", "uid-0", "ClusterDeleted"));
    scene.members.values().forEach(one -> one.pod = null);
    assertThat(action(scene)).isEqualTo(new Action.FinishDeletion());
  }

  @Test
  void pausedNothingHappensThoughAMemberIsMissing() {
    Scene scene = Scene.of(3).spec("paused", true);
    scene.member(2).pod = null;
    assertThat(scene.plan().action()).isEmpty();
    assertThat(scene.plan().rung()).isEqualTo("Pause");
  }

  @Test
  void twoClustersFreezeEverything() {
    Plan plan = Scene.of(3).answer(2, answer -> Change.cluster(answer, 0xbad)).spec("replicas", 5).plan();
    assertThat(plan.rung()).isEqualTo("Identity");
    assertThat(plan.action()).isEmpty();
  }

  @Test
  void anUnknownVoterFreezesEverything() {
    Scene scene = Scene.of(3);
    scene.member(1).listed = new ListedMember(0x999, "stranger", List.of("http://elsewhere:2380"), List.of(), false);
    assertThat(scene.plan().rung()).isEqualTo("Identity");
  }

  @Test
  void withoutQuorumOnlyMissingPodsAreStartedOnTheirOwnVolumes() {
    Scene scene = Scene.of(3).dead(1, "").spec("replicas", 5);
    scene.member(2).pod = null;
    scene.member(2).answer = null;
    scene.listKnown = false;
    Plan plan = scene.plan();
    assertThat(plan.rung()).isEqualTo("QuorumLoss");
    assertThat(plan.action().orElseThrow()).isInstanceOf(Action.StartPod.class).extracting(Action::member).isEqualTo("c-2");
    scene.member(2).claim = null;
    assertThat(scene.plan().action()).as("a lost volume is never replaced by an empty one").isEmpty();
  }

  @Test
  void hibernatingStopsFollowersFirst() {
    Scene scene = Scene.of(3).spec("hibernated", true);
    assertThat(action(scene)).isEqualTo(new Action.DeletePod("c-1", "uid-1", "Hibernated"));
    scene.member(1).pod = null;
    scene.member(2).pod = null;
    assertThat(action(scene).member()).isEqualTo("c-0");
    scene.member(0).pod = null;
    assertThat(scene.plan().memory().hibernated()).isTrue();
  }

  @Test
  void aNewClusterBeginsWithOneSeedWhoseOrdinalIsWrittenFirst() {
    Scene scene = Scene.of(0).spec("replicas", 3);
    scene.status.put("clusterID", "");
    Plan plan = scene.plan();
    assertThat(plan.action().orElseThrow()).isInstanceOf(Action.CreateMember.class);
    assertThat(plan.currentAction().orElseThrow().type()).isEqualTo(Type.BOOTSTRAP);
    assertThat(plan.nextOrdinal()).isEqualTo(11);
  }

  @Test
  void theSeedsClusterIdIsLatchedBeforeAnybodyJoins() {
    Scene scene = Scene.of(1).spec("replicas", 3);
    scene.status.put("clusterID", "");
    Plan plan = scene.plan();
    assertThat(plan.clusterId()).isEqualTo(Scene.CLUSTER);
    assertThat(plan.action()).isEmpty();
  }

  @Test
  void aCorruptMemberIsReplaced() {
    Scene scene = Scene.of(3);
    scene.alarms.add(new ActiveAlarm(0x102, ActiveAlarm.Kind.CORRUPT));
    assertThat(scene.plan().currentAction().orElseThrow().reason()).isEqualTo("Corrupt");
    Scene two = Scene.of(3).dead(1, "");
    two.alarms.add(new ActiveAlarm(0x102, ActiveAlarm.Kind.CORRUPT));
    assertThat(two.plan().action()).as("not while another is down").isEmpty();
  }

  @Test
  void aFullDatabaseIsRelievedOnlyWhenThePolicySaysSo() {
    Scene scene = Scene.of(3);
    scene.alarms.add(new ActiveAlarm(0x100, ActiveAlarm.Kind.NOSPACE));
    assertThat(scene.plan().action()).isEmpty();
    scene.spec("maintenance", Map.of("onQuotaExceeded", "CompactAndDefragment"));
    assertThat(action(scene)).isEqualTo(new Action.Compact(4000));
  }

  @Test
  void anUnhealthyMembersPodIsDeletedAfterRecreateAfterAndNotBefore() {
    assertThat(Scene.of(3).dead(2, ago(19)).plan().action()).isEmpty();
    assertThat(action(Scene.of(3).dead(2, ago(20)))).isEqualTo(new Action.DeletePod("c-2", "uid-2", "Unhealthy"));
  }

  @Test
  void stillUnhealthyAfterReplaceAfterItIsReplacedWhenQuorumHolds() {
    Scene scene = Scene.of(3).dead(2, ago(60));
    assertThat(scene.plan().currentAction().orElseThrow().type()).isEqualTo(Type.REMOVE_MEMBER);
    Scene two = Scene.of(2).dead(1, ago(60));
    assertThat(two.plan().rung()).as("one of two is no quorum").isEqualTo("QuorumLoss");
  }

  @Test
  void noAnswerAloneIsNoIllness() {
    Scene scene = Scene.of(3);
    scene.member(2).answer = null;
    Plan plan = scene.plan();
    assertThat(plan.members().get("c-2").unhealthySince()).isEmpty();
    assertThat(plan.action()).isEmpty();
  }

  @Test
  void aMemberOnASilentNodeIsNotReplaced() {
    Scene scene = Scene.of(3).dead(2, ago(600));
    scene.nodes.computeIfPresent("n2", (name, node) -> Change.down(node));
    assertThat(scene.plan().action()).isEmpty();
  }

  @Test
  void aMissingImageIsNoReasonToThrowAVolumeAway() {
    Scene scene = Scene.of(3).dead(2, ago(600)).pod(2, pod -> Change.waiting(pod, "ImagePullBackOff"));
    assertThat(scene.plan().action()).isEmpty();
  }

  @Test
  void aLostVolumeIsReplacedAtOnce() {
    Scene scene = Scene.of(3).dead(2, "");
    scene.member(2).claim = Change.lost(scene.member(2).claim);
    assertThat(scene.plan().currentAction().orElseThrow().reason()).isEqualTo("VolumeLost");
  }

  @Test
  void aMemberObjectThatTheUserDeletedIsReplaced() {
    Scene scene = Scene.of(3);
    scene.member(1).deleted = true;
    assertThat(scene.plan().currentAction().orElseThrow().reason()).isEqualTo("DeletedByUser");
  }

  @Test
  void theOnlyVoterIsReplacedAfterASecondHasJoined() {
    Scene scene = Scene.of(1);
    scene.member(0).deleted = true;
    assertThat(action(scene)).isInstanceOf(Action.CreateMember.class);
  }

  @Test
  void aLearnerWithoutAProcedureIsBroughtToItsEnd() {
    Scene scene = Scene.of(2).spec("replicas", 3);
    scene.add(2, true).status = Scene.status("102", KvorumMemberStatus.Role.LEARNER, KvorumMemberStatus.Phase.CATCHING_UP, "", 1);
    assertThat(action(scene)).isEqualTo(new Action.Promote("c-2", 0x102));
  }

  @Test
  void theLeaderLeavesACordonedNodeAtOnce() {
    Scene scene = Scene.of(3);
    scene.nodes.computeIfPresent("n0", (name, node) -> Change.cordoned(node));
    assertThat(action(scene)).isEqualTo(new Action.TransferLeader("c-0", 0x100, "c-1", 0x101, 7));
    scene.nodes.computeIfPresent("n1", (name, node) -> Change.cordoned(node));
    scene.nodes.computeIfPresent("n2", (name, node) -> Change.cordoned(node));
    assertThat(scene.plan().action()).as("there is nowhere to go").isEmpty();
  }

  @Test
  void theLeaderMovesToItsPreferredZoneAfterAMinuteElsewhere() {
    Scene scene = Scene.of(3).spec("leader", Map.of("preferredZones", List.of("z2")));
    assertThat(scene.plan().action()).isEmpty();
    assertThat(scene.plan().memory().leaderMoveSince()).isNotEmpty();
    scene.memory(new Memory(null, null, ago(60), null, null, null, null, null, null, null, null, null, null, null, null, null, null, null));
    assertThat(action(scene)).isEqualTo(new Action.TransferLeader("c-0", 0x100, "c-2", 0x102, 7));
  }

  @Test
  void anOperationRunsAndAnImpossibleOneIsRejectedUntouched() {
    Scene scene = Scene.of(3).operation("o", Map.of("transferLeader", Map.of("to", "c-2")));
    assertThat(action(scene)).isEqualTo(new Action.TransferLeader("c-0", 0x100, "c-2", 0x102, 7));
    for (Map<String, Object> impossible : List.<Map<String, Object>>of(
        Map.of("transferLeader", Map.of("to", "nobody")), Map.of("replaceMember", Map.of("member", "nobody")), Map.of("verifyBackup", Map.of("backupRef", "b")),
        Map.of("recoverQuorum", Map.of("acknowledgeDataLoss", true)), Map.of("defragment", Map.of("members", List.of("nobody"))),
        Map.of("restart", Map.of("members", List.of("nobody"))), Map.of("rotateCertificates", Map.of("kind", "Leaf")))) {
      Plan plan = Scene.of(3).operation("o", impossible).plan();
      assertThat(plan.operations().get("o").phase()).as("%s", impossible).isEqualTo(KvorumOperationStatus.Phase.REJECTED);
      assertThat(plan.action()).as("%s", impossible).isEmpty();
    }
  }

  @Test
  void scalingUpComesBeforeTheRollAndScalingDownAfterIt() {
    Scene up = Scene.of(3).spec("replicas", 5);
    up.template = "t2";
    assertThat(up.plan().rung()).isEqualTo("ScaleUp");
    Scene down = Scene.of(5).spec("replicas", 3);
    down.template = "t2";
    assertThat(down.plan().rung()).isEqualTo("RollingUpdate");
    assertThat(Scene.of(5).spec("replicas", 3).plan().currentAction().orElseThrow().member()).isEqualTo("c-4");
  }

  @Test
  void authenticationIsEnabledOnceTheClusterIsComplete() {
    Scene scene = Scene.of(3).spec("auth", Map.of("enabled", true));
    assertThat(action(scene)).isEqualTo(new Action.EnableAuth());
    scene.auth = Optional.of(true);
    assertThat(scene.plan().action()).isEmpty();
  }

  @Test
  void aRotationMovesOnWhenEveryMemberReportsTheNewCertificates() {
    Scene scene = Scene.of(3);
    scene.certificates = new Certificates(Certificates.Phase.TRUST_BOTH, List.of(new Certificate("ca", Scene.NOW.plus(Duration.ofDays(300)))), List.of("ab"));
    assertThat(action(scene)).isInstanceOf(Action.Reload.class);
    for (int i = 0; i < 3; i++) {
      scene.answer(i, answer -> Change.fingerprints(answer, "ab"));
    }
    assertThat(action(scene)).isEqualTo(new Action.RotateCertificates(Certificates.Phase.REISSUE_LEAVES));
  }

  @Test
  void theRollTakesBrokenOnesFirstThenFollowersAndTheLeaderLastAfterATransfer() {
    Scene scene = Scene.of(3).dead(2, "");
    scene.template = "t2";
    assertThat(action(scene)).isEqualTo(new Action.DeletePod("c-2", "uid-2", "TemplateChanged"));
    Scene healthy = Scene.of(3);
    healthy.template = "t2";
    assertThat(action(healthy)).isEqualTo(new Action.DeletePod("c-1", "uid-1", "TemplateChanged"));
    healthy.pod(1, pod -> Change.template(pod, "t2")).pod(2, pod -> Change.template(pod, "t2"));
    assertThat(action(healthy)).isInstanceOf(Action.TransferLeader.class);
    healthy.spec("update", Map.of("leader", "WaitForUser"));
    assertThat(healthy.plan().progress().reason()).isEqualTo(Reason.WAITING_FOR_USER);
  }

  @Test
  void theRollStopsAtAMemberThatDoesNotComeBack() {
    Scene scene = Scene.of(3).dead(1, ago(10)).pod(1, pod -> Change.template(pod, "t2"));
    scene.template = "t2";
    Plan plan = scene.plan();
    assertThat(plan.action()).isEmpty();
    assertThat(plan.progress().reason()).isEqualTo(Reason.DEADLINE_EXCEEDED);
  }

  @Test
  void aNewOperatorAloneRestartsNobody() {
    Scene scene = Scene.of(3);
    scene.template = "t2";
    scene.templateByUser = false;
    assertThat(scene.plan().action()).isEmpty();
    scene.spec("update", Map.of("maintenanceWindows", List.of(Map.of("schedule", "0 12 * * *"))));
    assertThat(action(scene)).as("in a window it does").isInstanceOf(Action.DeletePod.class);
    scene.spec("update", Map.of("maintenanceWindows", List.of(Map.of("schedule", "0 2 * * *"))));
    assertThat(scene.plan().action()).as("and outside it does not").isEmpty();
  }

  @Test
  void aRefusedVersionIsNotRolled() {
    Scene scene = Scene.of(3).spec("version", "0.3.0");
    scene.template = "t2";
    assertThat(scene.plan().action()).isEmpty();
    assertThat(scene.written().condition("SpecAccepted").orElseThrow().reason()).isEqualTo("UnsupportedVersionPath");
    assertThat(scene.written().version().target()).isEqualTo("0.1.0");
  }

  @Test
  void scheduledDefragmentationTakesOnlyMembersThatAreWorthIt() {
    Scene scene = Scene.of(3).spec("maintenance", Map.of("defragmentation", Map.of("schedule", "0 3 * * *")));
    assertThat(scene.plan().action()).isEmpty();
    scene.answer(2, answer -> Change.sizes(answer, 1L << 30, 1L << 28));
    assertThat(action(scene)).isEqualTo(new Action.Defragment("c-2"));
    scene.memory(Scene.compared(new Memory(null, null, null, ago(60), null, null, null, null, null, null, null, null, null, null, null, null, null, null), ago(60), ""));
    assertThat(scene.plan().action()).as("once per moment of the schedule").isEmpty();
  }

  @Test
  void volumesGrowOneByOneAndRestartOnlyWhenTheFileSystemNeedsIt() {
    Scene scene = Scene.of(3).spec("storage", Map.of("size", "2Gi"));
    assertThat(action(scene)).isInstanceOf(Action.GrowClaim.class);
    scene.member(0).claim = Change.sized(scene.member(0).claim, 2L << 30, 1L << 30, false);
    assertThat(scene.plan().action()).as("the next waits for the first").isEmpty();
    scene.member(0).claim = Change.sized(scene.member(0).claim, 2L << 30, 1L << 30, true);
    assertThat(scene.plan().rung()).isEqualTo("RollingUpdate");
  }

  @Test
  void aChangedConfigurationIsReloadedWithoutARestart() {
    Scene scene = Scene.of(3);
    scene.config = "c2";
    assertThat(action(scene)).isInstanceOf(Action.Reload.class);
  }

  private static String ago(int seconds) {
    return Api.time(Scene.NOW.minusSeconds(seconds));
  }
}
