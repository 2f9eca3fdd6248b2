package io.kvorum.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumClusterStatus.Phase;
import io.kvorum.operator.observe.StoreState.MemberAnswer;
import io.kvorum.operator.status.StatusWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which version may follow which, and what statuses say. */
class StatusAndVersionTest {

  @ParameterizedTest
  @CsvSource({
    "'', 0.4.0, true", "0.1.0, 0.1.3, true", "0.1.3, 0.1.0, true", "0.1.0, 0.2.0, true", "0.1.0-SNAPSHOT, 0.2.1, true", "0.1.0, 0.3.0, false",
    "0.2.0, 0.1.9, false", "0.9.0, 1.0.0, false", "1.0.0, 0.9.0, false", "0.1.0, latest, false"
  })
  void oneMinorForwardsAndNeverBackAcrossOne(String agreed, String wanted, boolean accepted) {
    assertThat(VersionPath.refusal(agreed, wanted).isEmpty()).isEqualTo(accepted);
  }

  @Test
  void theOldVersionMayBeSetBackWhileNotAllRunTheNewOne() {
    Scene scene = Scene.of(3).spec("version", "0.1.0");
    scene.member(1).answer = version(scene.member(1), "0.2.0");
    assertThat(scene.written().version().cluster()).isEqualTo("0.1.0");
    assertThat(scene.written().condition("SpecAccepted").orElseThrow().status()).isEqualTo(Condition.Status.TRUE);
  }

  @Test
  void optionsOfTheOperatorAndMissingSecretsAreRefused() {
    assertThat(reason(Scene.of(3).spec("config", Map.of("data-dir", "/tmp")))).isEqualTo("ReservedOption");
    assertThat(reason(Scene.of(3).spec("config", Map.of("peer-cert-file", "/tmp")))).isEqualTo("ReservedOption");
    assertThat(reason(Scene.of(3).spec("config", Map.of("log-level", "debug")))).isEqualTo("Accepted");
    Scene scene = Scene.of(3);
    scene.missingSecrets = List.of("s");
    assertThat(reason(scene)).isEqualTo("MissingSecret");
    assertThat(reason(Scene.of(3).spec("maintenance", Map.of("defragmentation", Map.of("schedule", "often"))))).isEqualTo("InvalidSchedule");
  }

  @Test
  void aHealthyClusterIsReadyAndRunning() {
    KvorumClusterStatus status = Scene.of(3).written();
    assertThat(status.phase()).isEqualTo(Phase.RUNNING);
    assertThat(status.summary()).isEqualTo("3/3");
    assertThat(status.leader().name()).isEqualTo("c-0");
    assertThat(status.quorum().faultTolerance()).isEqualTo(1);
    assertThat(status.condition("Ready").orElseThrow().status()).isEqualTo(Condition.Status.TRUE);
    assertThat(status.conditions()).extracting(Condition::type).containsExactly(
        "Ready", "QuorumAvailable", "Progressing", "Degraded", "SpecAccepted", "ClusterIdentityConsistent", "DataConsistent", "StorageHealthy",
        "CertificatesValid", "BackupHealthy", "FaultDomainsSpread", "WorkloadsServed",
        "OperatorAttention");
  }

  @Test
  void theSameObservationGivesTheSameStatusAndKeepsTransitionTimes() {
    Scene scene = Scene.of(3);
    KvorumClusterStatus first = scene.written();
    scene.cluster.setStatus(first);
    Condition ready = first.condition("Ready").orElseThrow();
    assertThat(ready.lastTransitionTime()).isEqualTo("2026-06-01T12:00:00Z");
    assertThat(scene.written()).isEqualTo(first);
  }

  @Test
  void withoutQuorumTheStatusSaysSoAndNamesTheSurvivors() {
    Scene scene = Scene.of(3).dead(1, "").dead(2, "");
    scene.member(2).claim = null;
    scene.answer(0, answer -> Change.leader(answer, 0, 8));
    scene.listKnown = false;
    KvorumClusterStatus status = scene.written();
    assertThat(status.phase()).isEqualTo(Phase.QUORUM_LOST);
    assertThat(status.condition("QuorumAvailable").orElseThrow().reason()).isEqualTo("TransientLoss");
    assertThat(status.survivors()).extracting(KvorumClusterStatus.Survivor::volume).containsExactly("Present", "Present", "Missing");
    assertThat(status.survivors().getFirst().lastIndex()).isEqualTo(5000);
  }

  @Test
  void anOutcomeIsWrittenIntoTheProcedureThatIsUnderWay() {
    Scene scene = Scene.of(3).spec("replicas", 5);
    KvorumClusterStatus written = scene.written();
    assertThat(written.currentAction().outcome()).isEmpty();
    assertThat(StatusWriter.outcome(written, "").currentAction().outcome()).isEqualTo(CurrentAction.DONE);
    assertThat(StatusWriter.outcome(written, "no").currentAction().outcome()).isEqualTo("no");
  }

  private static String reason(Scene scene) {
    return scene.written().condition("SpecAccepted").orElseThrow().reason();
  }

  private static MemberAnswer version(Scene.One one, String version) {
    var answer = one.answer;
    return new MemberAnswer(
        answer.member(), answer.at(), answer.clusterId(), answer.memberId(), answer.leaderId(), answer.term(), answer.term(), answer.raftIndex(),
        answer.appliedIndex(), answer.revision(), answer.databaseBytes(), answer.inUseBytes(), false, true, version, answer.clusterVersion(), answer.configHash(),
        answer.certificateFingerprints(), answer.errors());
  }
}
