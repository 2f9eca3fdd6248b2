package io.kvorum.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.CurrentAction;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.api.KvorumBackupScheduleSpec;
import io.kvorum.operator.api.KvorumBackupSpec.DeletionPolicy;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumMemberSpec.JoinMode;
import io.kvorum.operator.api.KvorumOperationStatus.Phase;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.model.Specs;
import io.kvorum.operator.observe.StoreState.ActiveAlarm;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.status.StatusWriter;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the cluster does about its backups, and what it says of them. */
class BackupRungsTest {
  private static final Map<String, Object> BACKUP = Map.of("destination", Map.of("s3", Map.of("bucket", "b", "endpoint", "https://s3.example")));

  private static Scene scene(int voters) {
    return Scene.of(voters).spec("backup", BACKUP);
  }

  private static Map<String, Object> ended(String phase, Duration ago, long revision) {
    Map<String, Object> status = new HashMap<>(Map.of(
        "phase", phase, "completedAt", Api.time(Scene.NOW.minus(ago)), "destination", Map.of("s3", Map.of("bucket", "b")),
        "artefact", Map.of("id", "id-" + revision, "toRevision", revision, "clusterID", Api.id(Scene.CLUSTER))));
    if (phase.equals("Verified")) {
      status.put("verification", Map.of("at", Api.time(Scene.NOW.minus(ago)), "hashMatched", true, "restoredRevision", revision));
    }
    return status;
  }

  private static Scene deleting(Scene scene) {
    scene.spec("deletion", Map.of("finalBackup", true));
    scene.cluster.getMetadata().setDeletionTimestamp(Api.time(Scene.NOW));
    return scene;
  }

  private static KvorumClusterStatus.Memory finalBackup(String name, boolean verified) {
    return new KvorumClusterStatus.Memory(null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, name, verified, null);
  }

  @Test
  void deletionTakesAFinalBackupFirst() {
    Plan plan = deleting(scene(3)).plan();
    Action.CreateBackup create = (Action.CreateBackup) plan.action().orElseThrow();
    assertThat(create.backup().name()).isEqualTo("c-final-260601120000");
    assertThat(create.backup().spec().verify()).isTrue();
    assertThat(create.backup().spec().deletionPolicy()).isEqualTo(DeletionPolicy.RETAIN);
    assertThat(plan.memory().finalBackup()).as("written before it is made").isEqualTo("c-final-260601120000");
    assertThat(plan.progress().reason()).isEqualTo(Reason.BACKING_UP);
  }

  @Test
  void aFinalBackupDoesNotHoldUpTheEndOfItsNamespace() {
    assertThat(deleting(scene(3)).namespaceEnds().plan().action().orElseThrow()).isInstanceOf(Action.DeletePod.class);
  }

  @Test
  void nothingStopsBeforeTheFinalBackupIsProven() {
    for (String phase : List.of("Pending", "Running", "Completed", "Verifying", "Failed")) {
      Scene scene = deleting(scene(3)).memory(finalBackup("f", false));
      scene.backup("f", Map.of("phase", phase));
      Plan plan = scene.plan();
      assertThat(plan.action()).as(phase).isEmpty();
      boolean hopeless = phase.equals("Completed") || phase.equals("Failed");
      assertThat(plan.progress().reason()).as(phase).isEqualTo(hopeless ? Reason.WAITING_FOR_USER : Reason.BACKING_UP);
    }
    Scene scene = deleting(scene(3)).memory(finalBackup("f", false));
    scene.backup("f", ended("Verified", Duration.ZERO, 7));
    Plan plan = scene.plan();
    assertThat(plan.memory().finalBackupVerified()).isTrue();
    assertThat(plan.action().orElseThrow()).isInstanceOf(Action.DeletePod.class);
    assertThat(deleting(scene(3)).memory(finalBackup("f", true)).plan().action().orElseThrow()).as("its object may go").isInstanceOf(Action.DeletePod.class);
  }

  @Test
  void withoutQuorumAFinalBackupWaitsAndTheMembersAreKeptGoing() {
    Scene scene = deleting(scene(3));
    scene.listKnown = false;
    scene.member(2).pod = null;
    Plan plan = scene.plan();
    assertThat(plan.progress().reason()).isEqualTo(Reason.WAITING_FOR_USER);
    assertThat(plan.action().orElseThrow()).isInstanceOf(Action.StartPod.class);
  }

  @Test
  void hibernationTakesOneToo() {
    Scene scene = scene(3).spec("deletion", Map.of("finalBackup", true)).spec("hibernated", true);
    assertThat(((Action.CreateBackup) scene.plan().action().orElseThrow()).backup().name()).isEqualTo("c-hibernate-260601120000");
    assertThat(scene(3).spec("hibernated", true).plan().action().orElseThrow()).as("unless it is not wanted").isInstanceOf(Action.DeletePod.class);
    assertThat(scene.memory(finalBackup("f", true)).plan().action().orElseThrow()).isInstanceOf(Action.DeletePod.class);
    assertThat(scene.spec("hibernated", false).plan().memory().finalBackupVerified()).as("the next time another one").isFalse();
  }

  private static Scene empty(Map<String, Object> recovery) {
    Scene scene = scene(3).spec("bootstrap", Map.of("recovery", recovery));
    scene.members.clear();
    scene.status.put("clusterID", "");
    scene.backup("b", ended("Verified", Duration.ofHours(1), 99));
    return scene;
  }

  @Test
  void aRecoveryMakesItsFirstMemberFromTheBackup() {
    Scene scene = empty(Map.of("backupRef", "b"));
    Action.CreateMember create = (Action.CreateMember) scene.plan().action().orElseThrow();
    assertThat(create.joinMode()).isEqualTo(JoinMode.RESTORE_SEED);
    Scene.One seed = scene.add(10, false);
    seed.pod = null;
    seed.answer = null;
    seed.listed = null;
    Action.StartPod start = (Action.StartPod) scene.plan().action().orElseThrow();
    assertThat(start.mode()).as("it never begins an empty cluster").isEqualTo(Action.StartMode.EXISTING);
    assertThat(start.restore().orElseThrow().id()).isEqualTo("id-99");
    assertThat(start.restore().orElseThrow().revisionBump()).isEqualTo(1_000_000_000L);
    assertThat(scene.written().phase()).isEqualTo(KvorumClusterStatus.Phase.RESTORING);
  }

  @Test
  void aLocationIsABackupOrARepositoryAndSaysHowItIsReached() {
    Scene one = empty(Map.of("location", "s3://other/p/q/backups/x-1.json", "target", Map.of("revision", 5)));
    Scene.One seed = one.add(10, false);
    seed.pod = null;
    seed.listed = null;
    var restore = ((Action.StartPod) one.plan().action().orElseThrow()).restore().orElseThrow();
    assertThat(restore.id()).isEqualTo("x-1");
    assertThat(restore.storage().location()).isEqualTo("s3://other/p/q");
    assertThat(restore.storage().destination().s3().endpoint()).as("as backup.destination").isEqualTo("https://s3.example");
    assertThat(restore.revision()).contains(5L);
    one.spec("bootstrap", Map.of("recovery", Map.of("location", "pvc://claim/folder", "target", Map.of("time", "2026-06-01T00:00:00Z"))));
    restore = ((Action.StartPod) one.plan().action().orElseThrow()).restore().orElseThrow();
    assertThat(restore.id()).as("the newest").isEmpty();
    assertThat(restore.storage().destination().pvc().claimName()).isEqualTo("claim");
    assertThat(restore.storage().destination().pvc().path()).isEqualTo("folder");
    assertThat(restore.time()).contains("2026-06-01T00:00:00Z");
    one.spec("bootstrap", Map.of("recovery", Map.of("location", "gs://bucket")));
    assertThat(one.plan().progress().message()).contains("says how gs://bucket is reached");
  }

  @Test
  void aRecoveryThatCannotBeginSaysWhy() {
    assertThat(empty(Map.of("backupRef", "nobody")).plan().progress().message()).isEqualTo("bootstrap.recovery: there is no KvorumBackup nobody");
    Scene failed = empty(Map.of("backupRef", "f"));
    failed.backup("f", Map.of("phase", "Failed", "message", "no room"));
    assertThat(failed.plan().progress().message()).endsWith("KvorumBackup f has failed: no room");
    Scene short_ = empty(Map.of("backupRef", "b", "target", Map.of("revision", 100)));
    assertThat(short_.plan().progress().message()).endsWith("ends at revision 99");
    assertThat(short_.plan().action()).isEmpty();
  }

  private static Plan operate(Scene scene, Map<String, Object> what) {
    return scene.operation("o", what).plan();
  }

  @Test
  void aRestoreOfWhatIsNotThereIsRejectedUntouched() {
    Plan plan = operate(scene(3), Map.of("clusterRef", "c", "restoreInPlace", Map.of("backupRef", "x", "acknowledgeDataLoss", true)));
    assertThat(plan.operations().get("o").phase()).isEqualTo(Phase.REJECTED);
    assertThat(plan.operations().get("o").message()).isEqualTo("there is no KvorumBackup x");
    assertThat(plan.action()).isEmpty();
  }

  @Test
  void aRestoreInPlaceStopsEverybodyAndRemembersWhatWasSeen() {
    Scene scene = scene(3);
    scene.backup("b", ended("Verified", Duration.ofHours(1), 99));
    Plan plan = operate(scene, Map.of("clusterRef", "c", "restoreInPlace", Map.of("backupRef", "b", "acknowledgeDataLoss", true)));
    assertThat(plan.action().orElseThrow()).isInstanceOf(Action.DeletePod.class);
    CurrentAction current = plan.currentAction().orElseThrow();
    assertThat(current.type()).isEqualTo(CurrentAction.Type.RESTORE_IN_PLACE);
    assertThat(current.target()).as("the leader's volume is kept").isEqualTo("c-0");
    assertThat(current.term()).isEqualTo(4000);
  }

  @Test
  void aRestoreInPlaceIsPossibleWithoutQuorum() {
    Scene scene = scene(3);
    scene.backup("b", ended("Verified", Duration.ofHours(1), 99));
    scene.dead(1, "").dead(2, "");
    scene.listKnown = false;
    Plan plan = operate(scene, Map.of("clusterRef", "c", "restoreInPlace", Map.of("backupRef", "b", "acknowledgeDataLoss", true)));
    assertThat(plan.currentAction().orElseThrow().type()).isEqualTo(CurrentAction.Type.RESTORE_IN_PLACE);
  }

  @Test
  void aVerificationIsAskedForAwaitedAndAnsweredBesideEverythingElse() {
    Map<String, Object> what = Map.of("clusterRef", "c", "verifyBackup", Map.of("backupRef", "b"));
    assertThat(operate(scene(3), what).operations().get("o").phase()).isEqualTo(Phase.REJECTED);
    Scene scene = scene(3);
    KvorumBackup backup = scene.backup("b", ended("Completed", Duration.ofHours(1), 99));
    scene.listKnown = false;
    scene.dead(1, "").dead(2, "");
    Plan plan = operate(scene, what);
    assertThat(plan.action()).as("without quorum too").contains(new Action.VerifyBackup("b", "o"));
    assertThat(plan.operations().get("o").phase()).isEqualTo(Phase.RUNNING);
    backup.getMetadata().setAnnotations(Map.of(Names.VERIFY, "o"));
    assertThat(scene.plan().action()).as("asked once").isNotEqualTo(plan.action());
    Map<String, Object> verified = ended("Verified", Duration.ZERO, 99);
    verified.put("verification", Map.of("at", "x", "hashMatched", true, "restoredRevision", 99, "request", "o"));
    scene.backups.clear();
    scene.backup("b", verified);
    assertThat(scene.plan().operations().get("o").phase()).isEqualTo(Phase.SUCCEEDED);
    verified.put("phase", "Failed");
    verified.put("verification", Map.of("at", "x", "hashMatched", false, "request", "o", "message", "chunk 3"));
    verified.put("reason", "ContentCorrupt");
    scene.backups.clear();
    scene.backup("b", verified);
    assertThat(scene.plan().operations().get("o").message()).isEqualTo("ContentCorrupt: chunk 3");
    assertThat(scene.plan().operations().get("o").phase()).isEqualTo(Phase.FAILED);
  }

  private static Condition healthy(Scene scene) {
    return scene.written().condition("BackupHealthy").orElseThrow();
  }

  private static void health(Scene scene, Condition.Status status, String reason) {
    assertThat(healthy(scene).reason()).isEqualTo(reason);
    assertThat(healthy(scene).status()).as(reason).isEqualTo(status);
  }

  @Test
  void everyReasonOfBackupHealthyIsTold() {
    health(Scene.of(3), Condition.Status.UNKNOWN, "NeverBackedUp");
    health(scene(3), Condition.Status.FALSE, "NeverBackedUp");
    Scene scene = scene(3);
    scene.backup("a", ended("Completed", Duration.ofHours(3), 10));
    health(scene, Condition.Status.TRUE, "Completed");
    scene.backup("b", ended("Verified", Duration.ofHours(2), 20));
    health(scene, Condition.Status.TRUE, "Verified");
    scene.backup("c", Map.of("phase", "Failed", "completedAt", Api.time(Scene.NOW.minusSeconds(3600)), "reason", "WrongKey", "message", "m"));
    health(scene, Condition.Status.FALSE, "LastRunFailed");
    assertThat(healthy(scene).message()).isEqualTo("c: WrongKey: m");
    Map<String, Object> wrong = ended("Failed", Duration.ofMinutes(50), 30);
    wrong.put("conditions", List.of(Map.of("type", "Verified", "status", "False", "reason", "HashMismatch")));
    scene.backup("d", wrong);
    health(scene, Condition.Status.FALSE, "VerificationFailed");
    scene.backup("e", ended("Verified", Duration.ofMinutes(40), 40));
    health(scene, Condition.Status.TRUE, "Verified");
    scene.backup("g", Map.of("phase", "Running", "reason", "DeltaGap", "message", "m"));
    health(scene, Condition.Status.FALSE, "DeltaGap");
  }

  @Test
  void backupsAreTooOldWhenDeltasOrAScheduleWantMore() {
    Scene scene = scene(3);
    scene.backup("a", ended("Completed", Duration.ofHours(30), 10));
    health(scene, Condition.Status.TRUE, "Completed");
    KvorumBackupSchedule schedule = new KvorumBackupSchedule();
    schedule.setMetadata(new ObjectMetaBuilder().withName("s").withCreationTimestamp("2026-05-01T00:00:00Z").build());
    schedule.setSpec(Specs.of(Map.of("clusterRef", "c", "schedule", "0 8 * * *", "retention", Map.of("keepLast", 1)), KvorumBackupScheduleSpec.class));
    scene.schedules.add(schedule);
    health(scene, Condition.Status.FALSE, "TooOld");
    scene.backup("b", ended("Completed", Duration.ofHours(27), 10));
    health(scene, Condition.Status.TRUE, "Completed");
    Scene deltas = Scene.of(3).spec("backup", Map.of(
        "destination", Map.of("s3", Map.of("bucket", "b")), "delta", Map.of("enabled", true, "interval", "10m")));
    deltas.backup("a", ended("Completed", Duration.ofMinutes(29), 10));
    health(deltas, Condition.Status.TRUE, "Completed");
    assertThat(deltas.written().backup().deltaLagSeconds()).isEqualTo(29 * 60);
    deltas.backups.clear();
    deltas.backup("a", ended("Completed", Duration.ofMinutes(31), 10));
    health(deltas, Condition.Status.FALSE, "TooOld");
  }

  @Test
  void theStatusSaysWhatCouldBeRestored() {
    Scene scene = scene(3);
    scene.backup("a", ended("Verified", Duration.ofHours(3), 10));
    scene.backup("b", ended("Completed", Duration.ofHours(1), 20));
    KvorumClusterStatus.Backup backup = scene.written().backup();
    assertThat(backup.lastRevision()).isEqualTo(20);
    assertThat(backup.lastSuccessfulTime()).isEqualTo(Api.time(Scene.NOW.minus(Duration.ofHours(1))));
    assertThat(backup.firstRecoverableTime()).isEqualTo(Api.time(Scene.NOW.minus(Duration.ofHours(3))));
    assertThat(backup.lastVerifiedBackup()).isEqualTo("a");
    assertThat(backup.lastVerifiedRevision()).isEqualTo(10);
    assertThat(backup.deltaLagSeconds()).isNull();
  }

  @Test
  void aLostQuorumNamesTheNewestVerifiedBackup() {
    Scene scene = scene(3).memory(new KvorumClusterStatus.Memory(
        null, Api.time(Scene.NOW.minusSeconds(3600)), null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null));
    scene.backup("a", ended("Verified", Duration.ofHours(3), 10));
    scene.backup("b", ended("Completed", Duration.ofHours(1), 20));
    scene.listKnown = false;
    for (int i = 1; i < 3; i++) {
      scene.dead(i, Api.time(Scene.NOW.minusSeconds(3600)));
      scene.member(i).claim = null;
    }
    assertThat(scene.written().condition("QuorumAvailable").orElseThrow().message()).contains("the newest verified backup is a at revision 10");
    assertThat(scene.written().condition("OperatorAttention").orElseThrow().message()).contains("a at revision 10");
    assertThat(scene.plan().events()).anyMatch(event -> event.message().contains("a at revision 10"));
  }

  @Test
  void spaceIsReclaimedInAWindowAndNotFromUnderABackup() {
    Scene scene = scene(3).spec("maintenance", Map.of("defragmentation", Map.of("schedule", "30 13 * * *", "timeZone", "Europe/Berlin", "minReclaim", "10")));
    scene.memory(Scene.compared(KvorumClusterStatus.Memory.EMPTY, Api.time(Scene.NOW), ""));
    for (int i = 0; i < 3; i++) {
      scene.answer(i, answer -> Change.sizes(answer, 1000, 100));
    }
    assertThat(scene.plan().action()).as("13:30 in Berlin is 11:30 here").contains(new Action.Defragment("c-1"));
    scene.spec("update", Map.of("maintenanceWindows", List.of(Map.of("schedule", "0 2 * * *", "durationMinutes", 60))));
    assertThat(scene.plan().action()).as("no window is open").isEmpty();
    assertThat(scene.plan().memory().lastDefragmentation()).as("still due").isEmpty();
    scene.spec("update", Map.of("maintenanceWindows", List.of(Map.of("schedule", "30 11 * * *", "durationMinutes", 60))));
    assertThat(scene.plan().action()).contains(new Action.Defragment("c-1"));
    scene.backup("b", Map.of("phase", "Running", "source", "c-1"));
    assertThat(scene.plan().action()).as("a backup is read").isEmpty();
    scene.spec("maintenance", Map.of("defragmentation", Map.of("schedule", "30 13 * * *", "timeZone", "Europe/Berlin", "minReclaim", "10Gi")));
    scene.backups.clear();
    assertThat(scene.plan().action()).as("too little to gain").isEmpty();
  }

  @Test
  void scheduledCompactionKeepsTheNewestRevisions() {
    Scene scene = scene(3).spec("maintenance", Map.of("compaction", Map.of("schedule", "0 20 * * *", "timeZone", "Asia/Tokyo", "keepRevisions", 1500)));
    scene.memory(Scene.compared(KvorumClusterStatus.Memory.EMPTY, Api.time(Scene.NOW), ""));
    assertThat(scene.plan().action()).as("20:00 in Tokyo is 11:00 here").contains(new Action.Compact(2500));
    assertThat(scene.plan().memory().lastCompaction()).isEqualTo(Api.time(Scene.NOW));
    scene.spec("maintenance", Map.of("compaction", Map.of("schedule", "0 20 * * *", "keepRevisions", 4000)));
    assertThat(scene.plan().action()).as("everything is kept").isEmpty();
    scene.spec("maintenance", Map.of("compaction", Map.of("schedule", "0 20 * * *", "timeZone", "Nowhere")));
    assertThat(scene.written().condition("SpecAccepted").orElseThrow().message()).isEqualTo("maintenance.compaction: no such time zone: Nowhere");
  }

  @Test
  void theLeaderIsReclaimedLastAndOnlyAfterAConfirmedTransfer() {
    Scene scene = scene(3);
    CurrentAction left = new CurrentAction(
        CurrentAction.Type.DEFRAGMENT, "c-2", "Reclaim", Api.time(Scene.NOW.minusSeconds(60)), Api.time(Scene.NOW.plusSeconds(6000)), 1,
        Api.time(Scene.NOW.minusSeconds(5)), "", 0L, List.of(), "", "", List.of("c-1"), CurrentAction.DONE, "", "by schedule");
    Plan plan = scene.current(left).plan();
    assertThat(plan.action().orElseThrow()).as("first it is asked to hand over").isInstanceOf(Action.TransferLeader.class);
    CurrentAction asked = plan.currentAction().orElseThrow();
    assertThat(scene.current(asked).plan().action().orElseThrow()).as("nobody else leads yet").isInstanceOf(Action.TransferLeader.class);
    for (int i = 0; i < 3; i++) {
      scene.answer(i, answer -> Change.leader(answer, 0x101, 8));
    }
    assertThat(scene.current(asked).plan().action()).contains(new Action.Defragment("c-0"));
  }

  @Test
  void aRollAndAShrinkingLeaveTheSourceOfABackupForLater() {
    Scene scene = scene(3);
    scene.backup("b", Map.of("phase", "Running", "source", "c-1"));
    scene.template = "t2";
    assertThat(scene.plan().action()).as("c-1 would be first").contains(new Action.DeletePod("c-2", "uid-2", "TemplateChanged"));
    Scene smaller = scene(5).spec("replicas", 3);
    smaller.backup("b", Map.of("phase", "Running", "source", "c-4"));
    assertThat(smaller.plan().currentAction().orElseThrow().member()).as("c-4 would be first").isEqualTo("c-3");
  }

  @Test
  void anAlarmThatAGoneMemberLeftIsDisarmed() {
    Scene scene = scene(3);
    scene.alarms.add(new ActiveAlarm(0x999, ActiveAlarm.Kind.CORRUPT));
    assertThat(scene.plan().action()).contains(new Action.DisarmAlarm(0x999, "CORRUPT"));
  }

  @Test
  void statusIsStableWhileNothingHappens() {
    Scene scene = scene(3);
    scene.backup("a", ended("Verified", Duration.ofHours(3), 10));
    assertThat(StatusWriter.status(scene.observe(), scene.plan()).backup()).isEqualTo(scene.written().backup());
  }
}
