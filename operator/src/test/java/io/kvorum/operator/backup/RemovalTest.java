package io.kvorum.operator.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.desired.BackupJob.Kind;
import io.kvorum.operator.event.EventReason;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What becomes of an artefact when its object is deleted. */
class RemovalTest {
  private final World world = new World();

  private BackupAction.CreateJob job() {
    return (BackupAction.CreateJob) world.actions.getLast();
  }

  @Test
  void aRetainedArtefactStaysWhenItsObjectGoes() {
    world.backup("x", Map.of());
    world.complete("x", "full", 42, "");
    world.delete("x");
    world.pass("x");
    assertThat(world.actions.getLast()).isEqualTo(new BackupAction.Release());
  }

  @Test
  void anArtefactIsDeletedByAJobAfterAllThatBuildOnIt() {
    world.backup("f", Map.of("deletionPolicy", "Delete"));
    world.complete("f", "full", 10, "");
    world.backup("d", Map.of("type", "Delta", "deletionPolicy", "Delete"));
    world.complete("d", "delta", 20, "f");
    world.delete("f");
    world.pass("f");
    assertThat(world.status("f").message()).contains("after that of d");
    world.delete("d");
    world.pass("d");
    assertThat(job().kind()).isEqualTo(Kind.DELETE);
    world.pass("f");
    assertThat(world.jobs.getOrDefault("f", Map.of()).values()).noneMatch(one -> one.kind() == Kind.DELETE);
    world.succeed("d", "\"id\":\"d\"");
    world.pass("d");
    assertThat(world.removed).containsExactly("d");
    world.pass("f");
    world.fail("f", "NotFound");
    world.pass("f");
    assertThat(world.removed).as("what is gone already is gone").containsExactly("d", "f");
  }

  @Test
  void whatNoJobCanDeleteStaysAndTheUserIsTold() {
    world.backup("x", Map.of("deletionPolicy", "Delete"));
    world.complete("x", "full", 42, "");
    world.delete("x");
    for (int i = 0; i < Removal.ATTEMPTS; i++) {
      assertThat(world.backups).containsKey("x");
      world.later(Duration.ofHours(1)).pass("x");
      world.fail("x", "DestinationUnavailable");
      world.pass("x");
    }
    assertThat(world.removed).containsExactly("x");
    assertThat(world.events.getLast().reason()).isEqualTo(EventReason.BACKUP_ARTEFACT_KEPT);
    assertThat(world.events.getLast().message()).contains("s3://b/p/backups/x-uid1.json");
  }

  @Test
  void aNamespaceThatGoesTakesNoArtefactWithIt() {
    world.backup("x", Map.of("deletionPolicy", "Delete"));
    world.complete("x", "full", 42, "");
    world.delete("x");
    world.namespaceEnds = true;
    world.pass("x");
    assertThat(world.removed).containsExactly("x");
    assertThat(world.events.getLast().reason()).isEqualTo(EventReason.BACKUP_ARTEFACT_KEPT);
  }

  @Test
  void deletingARunUnderWayEndsItsJobFirstAndThenDeletesWhatItMayHavePublished() {
    world.backup("x", Map.of("deletionPolicy", "Delete"));
    world.later(Duration.ofSeconds(3)).pass("x");
    world.job("x", JobState.Phase.RUNNING, "", "");
    world.delete("x");
    world.pass("x");
    assertThat(world.actions.getLast()).isEqualTo(new BackupAction.DeleteJob("x-backup-1"));
    world.pass("x");
    assertThat(job().kind()).isEqualTo(Kind.DELETE);
    assertThat(job().id()).isEqualTo("x-uid1");
  }
}
