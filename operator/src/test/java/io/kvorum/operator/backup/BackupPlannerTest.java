package io.kvorum.operator.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.KvorumBackupSpec.Type;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.desired.BackupJob.Kind;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.model.Specs;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The life of one backup, from its turn to its artefact's end. */
class BackupPlannerTest {
  private final World world = new World();

  private BackupAction.CreateJob job() {
    return (BackupAction.CreateJob) world.actions.getLast();
  }

  private KvorumBackupStatus begin(Map<String, Object> spec) {
    world.backup("x", spec);
    world.later(Duration.ofSeconds(3)).pass("x");
    return world.status("x");
  }

  private List<EventReason> told() {
    return world.events.stream().map(PlannedEvent::reason).toList();
  }

  @Test
  void theSourceIsNamedBeforeTheJobThatReadsFromIt() {
    KvorumBackupStatus status = begin(Map.of());
    assertThat(status.phase()).isEqualTo(Phase.RUNNING);
    assertThat(status.source()).isEqualTo("c-2");
    assertThat(status.job()).isEqualTo("x-backup-1");
    assertThat(status.destination()).isEqualTo(world.cluster.getSpec().backup().destination());
    assertThat(job()).isEqualTo(new BackupAction.CreateJob(
        "x-backup-1", Kind.BACKUP, "x-uid1", job().storage(), Type.FULL, "c-2", 0, Pass.DEADLINE));
  }

  @Test
  void theFollowerThatLagsLeastIsTheSource() {
    assertThat(Sources.choose(world.cluster)).contains("c-2");
    world.members("c-0 LEADER 0", "c-1 VOTER 7", "c-2 VOTER");
    assertThat(Sources.choose(world.cluster)).as("one that is not ready").contains("c-1");
    world.members("c-0 LEADER 0", "c-1 LEARNER 0", "c-2 VOTER");
    assertThat(Sources.choose(world.cluster)).as("learners may not be asked").contains("c-0");
    world.members("c-0 LEADER", "c-1 VOTER");
    assertThat(Sources.choose(world.cluster)).isEmpty();
    world.members("c-0 LEADER 0", "c-1 VOTER 7", "c-2 VOTER 3");
    world.status(Map.of("currentAction", Map.of("type", "RestartMember", "member", "c-2")));
    assertThat(Sources.choose(world.cluster)).as("one that a procedure has in hand").contains("c-1");
    world.status(Map.of("conditions", List.of(Map.of("type", "QuorumAvailable", "status", "False", "reason", "x"))));
    assertThat(Sources.choose(world.cluster)).as("without quorum").isEmpty();
  }

  @Test
  void theFollowerOfTheLastBackupIsTheSourceWhileItKeepsUp() {
    world.members("c-0 LEADER 0", "c-1 VOTER 900", "c-2 VOTER 3");
    assertThat(Sources.choose(world.cluster, "c-1")).contains("c-1");
    assertThat(Sources.choose(world.cluster, "c-0")).as("the leader is spared").contains("c-2");
    world.members("c-0 LEADER 0", "c-1 VOTER 1001", "c-2 VOTER 3");
    assertThat(Sources.choose(world.cluster, "c-1")).as("one that lags").contains("c-2");
  }

  @Test
  void theNextBackupIsReadFromTheMemberOfTheOneBefore() {
    begin(Map.of());
    world.succeed("x", world.taken("x", "full", 42, ""));
    world.pass("x");
    assertThat(world.status("x").source()).isEqualTo("c-2");
    world.members("c-0 LEADER 0", "c-1 VOTER 0", "c-2 VOTER 5");
    world.backup("y", Map.of("type", "Full"));
    world.later(Duration.ofSeconds(3)).pass("y");
    world.later(Duration.ofSeconds(3)).pass("y");
    assertThat(world.status("y").source()).isEqualTo("c-2");
  }

  @Test
  void itIsCompletedWithWhatTheJobSays() {
    begin(Map.of());
    world.succeed("x", world.taken("x", "full", 42, ""));
    world.pass("x");
    KvorumBackupStatus status = world.status("x");
    assertThat(status.phase()).isEqualTo(Phase.COMPLETED);
    assertThat(status.artefact().uri()).isEqualTo("s3://b/p/backups/x-uid1.json");
    assertThat(status.artefact().toRevision()).isEqualTo(42);
    assertThat(status.artefact().contentHashCompactRevision()).isEqualTo(-1);
    assertThat(status.size()).isEqualTo("977Ki");
    assertThat(status.condition(KvorumBackupStatus.COMPLETED).orElseThrow().status()).isEqualTo(Condition.Status.TRUE);
    assertThat(told()).containsExactly(EventReason.BACKUP_STARTED, EventReason.BACKUP_COMPLETED);
    world.pass("x");
    assertThat(world.jobs.get("x")).as("a Job that went well is deleted").isEmpty();
    int actions = world.actions.size();
    world.pass("x");
    assertThat(world.actions).as("then nothing is to be done").hasSize(actions);
  }

  @Test
  void aCrashBetweenTheStatusAndTheJobMakesTheSameJob() {
    begin(Map.of());
    world.jobs.clear();
    world.members("c-0 LEADER 0", "c-1 VOTER 0", "c-2 VOTER 99");
    world.pass("x");
    assertThat(job().name()).isEqualTo("x-backup-1");
    assertThat(job().source()).as("as the status names it").isEqualTo("c-2");
    assertThat(world.status("x").attempts()).isEqualTo(1);
  }

  @Test
  void aFailedJobIsFollowedByAnotherAfterLongerAndLongerPausesAndFourAreAll() {
    begin(Map.of());
    for (int attempt = 1; attempt < BackupRun.ATTEMPTS; attempt++) {
      world.fail("x", "DestinationUnavailable");
      Duration pause = world.pass("x").requeueAfter();
      assertThat(pause).isEqualTo(Duration.ofSeconds(15).multipliedBy(1L << (attempt - 1)));
      assertThat(world.status("x").message()).contains("because of");
      world.later(pause.minusSeconds(1)).pass("x");
      assertThat(world.status("x").job()).isEmpty();
      world.later(Duration.ofSeconds(1)).pass("x");
      assertThat(job().name()).isEqualTo("x-backup-" + (attempt + 1));
      assertThat(job().id()).as("what is there already is not sent again").isEqualTo("x-uid1");
    }
    world.fail("x", "DestinationUnavailable");
    world.pass("x");
    assertThat(world.status("x").phase()).isEqualTo(Phase.FAILED);
    assertThat(world.status("x").reason()).isEqualTo("DestinationUnavailable");
    assertThat(told()).endsWith(EventReason.BACKUP_FAILED);
    world.later(Duration.ofDays(1)).pass("x");
    assertThat(world.status("x").phase()).as("for good").isEqualTo(Phase.FAILED);
  }

  @Test
  void aJobThatLeftNoResultIsTriedAgain() {
    begin(Map.of());
    world.job("x", JobState.Phase.FAILED, "Killed", "OOMKilled");
    world.pass("x");
    assertThat(world.status("x").phase()).isEqualTo(Phase.RUNNING);
    assertThat(world.status("x").reason()).isEqualTo("NoResult");
    assertThat(world.status("x").message()).isEqualTo("OOMKilled");
  }

  @Test
  void aWrongKeyIsNotTriedAgain() {
    begin(Map.of());
    world.fail("x", "WrongKey");
    world.pass("x");
    assertThat(world.status("x").phase()).isEqualTo(Phase.FAILED);
  }

  @Test
  void aPodThatNeverRunsIsGivenUpAfterHalfAnHourAndOneThatRunsIsNot() {
    begin(Map.of());
    world.job("x", JobState.Phase.WAITING, "", "ImagePullBackOff");
    world.later(Pass.STALLED).pass("x");
    assertThat(world.status("x").message()).isEqualTo("ImagePullBackOff");
    world.later(Duration.ofSeconds(1)).pass("x");
    assertThat(world.status("x").reason()).isEqualTo("Stalled");
    assertThat(world.actions.getLast()).isEqualTo(new BackupAction.DeleteJob("x-backup-1"));
    world.later(Duration.ofMinutes(1)).pass("x");
    world.job("x", JobState.Phase.RUNNING, "", "");
    for (int i = 0; i < 100; i++) {
      world.later(Duration.ofMinutes(1)).pass("x");
    }
    assertThat(world.status("x").heartbeatAt()).isEqualTo(world.now.toString());
    assertThat(world.status("x").phase()).isEqualTo(Phase.RUNNING);
  }

  @Test
  void oneRunAtATimeTheOldestFirst() {
    world.backup("b", Map.of());
    world.backup("a", Map.of());
    world.later(Duration.ofSeconds(1)).pass("a");
    assertThat(world.status("a").phase()).as("within a second nobody knows who is older").isEqualTo(Phase.PENDING);
    world.later(Duration.ofSeconds(2)).backup("0", Map.of());
    world.later(Duration.ofSeconds(3));
    world.pass("0");
    world.pass("b");
    assertThat(List.of(world.status("0").phase(), world.status("b").phase())).containsOnly(Phase.PENDING);
    world.pass("a");
    assertThat(world.status("a").phase()).isEqualTo(Phase.RUNNING);
    world.pass("b");
    assertThat(world.status("b").message()).isEqualTo("waiting: KvorumBackup a comes first");
    world.succeed("a", world.taken("a", "full", 42, ""));
    world.pass("a");
    world.pass("0");
    world.pass("b");
    assertThat(world.status("0").phase()).isEqualTo(Phase.PENDING);
    assertThat(world.status("b").phase()).isEqualTo(Phase.RUNNING);
  }

  @Test
  void whatCannotBeginWithinAnHourFails() {
    world.clusterExists = false;
    KvorumBackupStatus status = begin(Map.of());
    assertThat(status.phase()).isEqualTo(Phase.PENDING);
    assertThat(status.message()).isEqualTo("waiting: there is no KvorumCluster c");
    world.later(BackupRun.TURN).pass("x");
    assertThat(world.status("x").phase()).isEqualTo(Phase.FAILED);
    assertThat(world.status("x").reason()).isEqualTo("NeverBegan");
  }

  @Test
  void aDeltaBuildsOnAChainAndWithoutOneIsAFullBackup() {
    begin(Map.of("type", "Delta"));
    assertThat(world.status("x").type()).isEqualTo(Type.FULL);
    assertThat(job().id()).isEqualTo("x-uid1-full");
    world.succeed("x", world.taken("x", "full", 42, ""));
    world.pass("x");
    world.backup("y", Map.of("type", "Delta"));
    world.later(Duration.ofSeconds(3)).pass("y");
    assertThat(world.status("y").type()).isEqualTo(Type.DELTA);
    assertThat(job().id()).isEqualTo("y-uid2");
  }

  @Test
  void aGapMakesTheDeltaAFullBackupAtOnce() {
    world.backup("f", Map.of());
    world.complete("f", "full", 10, "");
    begin(Map.of("type", "Delta"));
    world.fail("x", "DeltaGap");
    world.pass("x");
    assertThat(world.status("x").type()).isEqualTo(Type.FULL);
    assertThat(told()).contains(EventReason.BACKUP_DELTA_GAP);
    world.pass("x");
    assertThat(world.actions.getLast()).as("the delta's Job has the same number").isEqualTo(new BackupAction.DeleteJob("x-backup-1"));
    world.pass("x");
    assertThat(job().type()).isEqualTo(Type.FULL);
    assertThat(job().id()).isEqualTo("x-uid2-full");
    assertThat(world.status("x").reason()).as("until it has succeeded").isEqualTo("DeltaGap");
    world.succeed("x", world.taken("x", "full", 42, ""));
    world.pass("x");
    assertThat(world.status("x").reason()).isEmpty();
  }

  @Test
  void aChainTakesNoDeltaWhenItIsOfOtherDataBrokenOrTooLong() {
    world.cluster.setSpec(Specs.with(world.cluster.getSpec(), "backup", Map.of(
        "destination", Map.of("s3", Map.of("bucket", "b", "prefix", "/p/")), "delta", Map.of("enabled", true, "maxBytes", "3Mi"))));
    world.backup("f", Map.of());
    world.complete("f", "full", 10, "");
    String before = "f";
    for (int i = 1; i <= 3; i++) {
      assertThat(choice()).isEqualTo(Type.DELTA);
      world.backup("d" + i, Map.of("type", "Delta"));
      world.complete("d" + i, "delta", 10 + i, before);
      before = "d" + i;
    }
    assertThat(choice()).as("three deltas of 1Mi are 3Mi").isEqualTo(Type.FULL);
    world.backup("g", Map.of());
    world.complete("g", "full", 20, "");
    assertThat(choice()).isEqualTo(Type.DELTA);
    world.delete("g");
    assertThat(choice()).as("the newest is being deleted, and the one before has too much").isEqualTo(Type.FULL);
    world.backups.remove("g");
    world.backups.remove("d3");
    assertThat(choice()).as("two deltas").isEqualTo(Type.DELTA);
    world.backups.remove("d1");
    assertThat(choice()).as("a link is missing").isEqualTo(Type.FULL);
    world.backup("h", Map.of());
    world.complete("h", "full", 30, "");
    assertThat(choice()).isEqualTo(Type.DELTA);
    world.status(Map.of("clusterID", "c2"));
    assertThat(choice()).as("a recovery has made it another cluster").isEqualTo(Type.FULL);
  }

  private Type choice() {
    return RunType.choose(
        Type.DELTA, Optional.of(world.cluster.getSpec().backup()), world.cluster.getSpec().backup().destination(), "",
        world.cluster.getStatus().clusterID(), List.copyOf(world.backups.values())).type();
  }

  @Test
  void equalContentIsVerifiedAndOtherContentIsAFailure() {
    begin(Map.of("verify", true));
    world.succeed("x", world.taken("x", "full", 42, ""));
    world.pass("x");
    assertThat(world.status("x").phase()).isEqualTo(Phase.VERIFYING);
    world.pass("x");
    assertThat(job().kind()).isEqualTo(Kind.VERIFY);
    assertThat(job().id()).isEqualTo("x-uid1");
    world.succeed("x", "\"restoredRevision\":42,\"hashMatched\":true,\"seconds\":2.5");
    world.pass("x");
    assertThat(world.status("x").phase()).isEqualTo(Phase.VERIFIED);
    assertThat(world.status("x").verification().restoredRevision()).isEqualTo(42);
    assertThat(world.status("x").condition(KvorumBackupStatus.VERIFIED).orElseThrow().status()).isEqualTo(Condition.Status.TRUE);

    world.backups.get("x").getMetadata().setAnnotations(Map.of(Names.VERIFY, "again"));
    world.pass("x");
    world.pass("x");
    world.pass("x");
    world.fail("x", "ContentCorrupt");
    world.pass("x");
    KvorumBackupStatus status = world.status("x");
    assertThat(status.phase()).isEqualTo(Phase.FAILED);
    assertThat(status.reason()).isEqualTo("ContentCorrupt");
    assertThat(status.artefact()).as("what there is of it stays").isNotNull();
    assertThat(status.verification().hashMatched()).isFalse();
    assertThat(status.verification().request()).isEqualTo("again");
    assertThat(status.condition(KvorumBackupStatus.VERIFIED).orElseThrow().status()).isEqualTo(Condition.Status.FALSE);
    assertThat(told()).endsWith(EventReason.BACKUP_VERIFICATION_FAILED);
    int before = world.actions.size();
    world.pass("x");
    assertThat(world.actions.subList(before, world.actions.size())).as("answered").noneMatch(action -> action instanceof BackupAction.CreateJob);
  }

  @Test
  void aComparisonThatCouldNotBeMadeProvesNothing() {
    begin(Map.of("verify", true));
    world.succeed("x", world.taken("x", "full", 42, ""));
    world.pass("x");
    for (int i = 0; i < BackupRun.ATTEMPTS; i++) {
      world.later(Duration.ofMinutes(10)).pass("x");
      world.fail("x", "DestinationUnavailable");
      world.pass("x");
    }
    assertThat(world.status("x").phase()).isEqualTo(Phase.COMPLETED);
    assertThat(world.status("x").condition(KvorumBackupStatus.VERIFIED).orElseThrow().status()).isEqualTo(Condition.Status.UNKNOWN);
    world.later(Duration.ofDays(1)).pass("x");
    assertThat(world.status("x").phase()).isEqualTo(Phase.COMPLETED);
  }

  @Test
  void everyResultOfACommandIsRead() {
    assertThat(JobResult.parse("{\"ok\":false,\"command\":\"backup\",\"reason\":\"DeltaGap\",\"message\":\"m\",\"other\":1}").orElseThrow().reason())
        .isEqualTo("DeltaGap");
    assertThat(JobResult.parse("killed")).isEmpty();
    assertThat(JobResult.parse("{\"ok\":tru")).isEmpty();
    assertThat(JobResult.parse("")).isEmpty();
  }
}
