package io.kvorum.operator.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSpec.Type;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.model.Specs;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** When a delta is taken by itself. */
class ContinuousTest {
  private final World world = new World();

  private void wanted(boolean enabled) {
    world.cluster.setSpec(Specs.with(world.cluster.getSpec(), "backup", Map.of(
        "destination", Map.of("s3", Map.of("bucket", "b")), "delta", Map.of("enabled", enabled, "interval", "5m"))));
  }

  private Optional<BackupAction.CreateBackup> due() {
    List<KvorumBackup> own = world.backups.values().stream().sorted(Chains.BY_AGE).toList();
    return Continuous.due(world.now, world.cluster, own);
  }

  private String take() {
    BackupAction.CreateBackup run = due().orElseThrow();
    world.add(run.name(), run.spec(), run.labels());
    return run.name();
  }

  @Test
  void eachIntervalAfterTheBackupBefore() {
    wanted(false);
    assertThat(due()).isEmpty();
    wanted(true);
    BackupAction.CreateBackup first = due().orElseThrow();
    assertThat(first.name()).isEqualTo("c-delta-260601000000");
    assertThat(first.spec().type()).as("which becomes a full one without a chain").isEqualTo(Type.DELTA);
    assertThat(first.labels()).containsEntry(Names.CONTINUOUS, "true");
    String name = take();
    assertThat(due()).as("one at a time").isEmpty();
    world.complete(name, "full", 10, "");
    world.later(Duration.ofMinutes(5).minusSeconds(1));
    assertThat(due()).isEmpty();
    world.later(Duration.ofSeconds(1));
    assertThat(due()).isPresent();
    world.backup("mine", Map.of());
    assertThat(due()).as("somebody else's is under way").isEmpty();
    world.complete("mine", "full", 20, "");
    assertThat(due()).as("that one counts").isEmpty();
  }

  @Test
  void laterAndLaterAfterFailures() {
    wanted(true);
    for (int minutes : List.of(10, 20, 40, 60, 60)) {
      String name = take();
      world.later(Duration.ofSeconds(3)).pass(name);
      world.fail(name, "WrongKey");
      world.pass(name);
      world.later(Duration.ofMinutes(minutes).minusSeconds(1));
      assertThat(due()).as("%d minutes", minutes).isEmpty();
      world.later(Duration.ofSeconds(1));
      assertThat(due()).as("%d minutes", minutes).isPresent();
    }
  }

  @Test
  void notWithoutAMemberToReadFrom() {
    wanted(true);
    world.members("c-0 LEADER", "c-1 VOTER");
    assertThat(due()).isEmpty();
  }
}
