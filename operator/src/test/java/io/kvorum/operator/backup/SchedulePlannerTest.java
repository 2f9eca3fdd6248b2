package io.kvorum.operator.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupScheduleStatus;
import io.kvorum.operator.api.KvorumBackupSpec.DeletionPolicy;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.schedule.Cron;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** When runs of a schedule begin: each moment once, missed ones together, one at a time. */
class SchedulePlannerTest {
  private final World world = new World();

  private List<String> runs() {
    return world.backups.values().stream().filter(backup -> Retention.schedule(backup).equals("s")).map(backup -> backup.getMetadata().getName()).toList();
  }

  private KvorumBackupScheduleStatus status() {
    return world.schedules.get("s").known();
  }

  private void finishAll() {
    for (KvorumBackup backup : List.copyOf(world.backups.values())) {
      if (!backup.known().phase().isFinal()) {
        world.complete(backup.getMetadata().getName(), "full", 10, "");
      }
    }
  }

  @Test
  void aRunIsMadeAtItsMomentWithWhatTheTemplateSays() {
    world.schedule("s", Map.of("schedule", "0 3 * * *", "verify", Map.of("every", 2)));
    assertThat(world.passSchedule("s", false).action()).isEmpty();
    assertThat(status().nextScheduleTime()).isEqualTo("2026-06-01T03:00:00Z");
    world.later(Duration.ofHours(3)).passSchedule("s", false);
    KvorumBackup run = world.backups.get("s-2606010300");
    assertThat(run.getSpec().clusterRef()).isEqualTo("c");
    assertThat(run.getSpec().verify()).as("the first is verified").isTrue();
    assertThat(run.getSpec().deletionPolicy()).isEqualTo(DeletionPolicy.DELETE);
    assertThat(run.getMetadata().getLabels()).containsEntry(Names.SCHEDULE, "s").containsEntry(Names.CLUSTER, "c");
    assertThat(status().active()).isEqualTo("s-2606010300");
    assertThat(status().lastScheduleTime()).isEqualTo("2026-06-01T03:00:00Z");
    finishAll();
    world.passSchedule("s", false);
    assertThat(status().active()).isEmpty();
    assertThat(status().lastSuccessfulBackup()).isEqualTo("s-2606010300");
    assertThat(status().lastVerifiedBackup()).isEqualTo("s-2606010300");
    world.later(Duration.ofDays(1)).passSchedule("s", false);
    assertThat(world.backups.get("s-2606020300").getSpec().verify()).as("the second is not").isFalse();
  }

  @Test
  void missedDaysAreOneRun() {
    world.schedule("s", Map.of("schedule", "0 3 * * *"));
    world.passSchedule("s", false);
    world.later(Duration.ofDays(5).plusHours(4)).passSchedule("s", false);
    assertThat(runs()).containsExactly("s-2606060300");
    assertThat(status().missedRuns()).isEqualTo(5);
    for (int i = 0; i < 10; i++) {
      world.later(Duration.ofMinutes(1)).passSchedule("s", false);
      finishAll();
    }
    assertThat(runs()).hasSize(1);
    assertThat(status().runs()).isEqualTo(1);
  }

  @Test
  void aRunThatCannotBeginInTimeIsMissed() {
    world.schedule("s", Map.of("schedule", "0 3 * * *", "startingDeadlineSeconds", 600));
    world.later(Duration.ofHours(3).plusSeconds(600)).passSchedule("s", true);
    assertThat(runs()).as("just in time").containsExactly("s-2606010300");
    world.backups.clear();
    world.schedule("s", Map.of("schedule", "0 3 * * *", "startingDeadlineSeconds", 600));
    world.later(Duration.ofDays(2).plusSeconds(1)).passSchedule("s", false);
    assertThat(runs()).isEmpty();
    assertThat(status().missedRuns()).isEqualTo(2);
    world.later(Duration.ofDays(1).minusSeconds(600)).passSchedule("s", false);
    assertThat(runs()).hasSize(1);
  }

  @Test
  void aRunWaitsWhileAnotherBackupOfTheClusterIsUnderWay() {
    world.schedule("s", Map.of("schedule", "0 * * * *"));
    world.backup("x", Map.of());
    world.later(Duration.ofMinutes(61)).passSchedule("s", false);
    assertThat(runs()).isEmpty();
    world.later(Duration.ofHours(2)).passSchedule("s", false);
    assertThat(runs()).isEmpty();
    finishAll();
    world.passSchedule("s", false);
    assertThat(runs()).as("what came due meanwhile is one").containsExactly("s-2606010300");
    assertThat(status().missedRuns()).isEqualTo(2);
  }

  @Test
  void whatPassesWhileItIsSuspendedIsNeitherRunNorMissed() {
    world.schedule("s", Map.of("schedule", "0 3 * * *", "suspend", true));
    for (int day = 0; day < 4; day++) {
      world.later(Duration.ofDays(1)).passSchedule("s", false);
    }
    String served = status().lastScheduleTime();
    assertThat(status().message()).isEqualTo("suspended");
    world.schedule("s", Map.of("schedule", "0 3 * * *"));
    world.schedules.get("s").setStatus(new KvorumBackupScheduleStatus(1L, served, "", "", "", "", 0L, 0L, ""));
    world.passSchedule("s", false);
    assertThat(runs()).isEmpty();
    assertThat(status().missedRuns()).isZero();
  }

  @Test
  void aCrashBeforeTheStatusMakesNoSecondRun() {
    world.schedule("s", Map.of("schedule", "0 3 * * *", "verify", Map.of("every", 2)));
    world.later(Duration.ofHours(4)).passSchedule("s", true);
    world.passSchedule("s", false);
    finishAll();
    world.passSchedule("s", false);
    assertThat(runs()).hasSize(1);
    assertThat(status().runs()).isEqualTo(1);
  }

  @Test
  void aScheduleThatIsWrongSaysSoAndDoesNothing() {
    world.schedule("s", Map.of("schedule", "at noon"));
    assertThat(world.passSchedule("s", false).action()).isEmpty();
    assertThat(status().message()).isEqualTo("not a cron expression of five fields: at noon");
    world.schedule("s", Map.of("schedule", "0 3 * * *", "timeZone", "Nowhere/Else"));
    world.passSchedule("s", false);
    assertThat(status().message()).isEqualTo("no such time zone: Nowhere/Else");
  }

  @Test
  void withoutAClusterNothingIsMade() {
    world.schedule("s", Map.of("schedule", "0 3 * * *"));
    world.clusterExists = false;
    world.later(Duration.ofHours(4)).passSchedule("s", false);
    assertThat(runs()).isEmpty();
    assertThat(status().message()).isEqualTo("there is no KvorumCluster c");
  }

  /** Random lives over a year with both changes of the clocks: an operator that is away, dies, and finds the cluster busy. */
  @Test
  void everyLifeRunsEachMomentAtMostOnceAndAGapExactlyOnce() {
    for (long seed = 1; seed <= 4; seed++) {
      Random random = new Random(seed);
      String zone = List.of("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC").get(random.nextInt(4));
      String expression = List.of("30 2 * * *", "15 */6 * * *", "0 1 * * 1-5", "45 23 * * *").get(random.nextInt(4));
      World life = new World();
      life.now = LocalDate.of(2026, 3, 1).atStartOfDay(ZoneId.of(zone)).toInstant();
      life.schedule("s", Map.of("schedule", expression, "timeZone", zone, "retention", Map.of("keepLast", 4)));
      Cron cron = Cron.parse(expression, zone);
      Instant begin = life.now;
      Map<String, Integer> made = new HashMap<>();
      long revision = 0;
      while (life.now.isBefore(begin.plus(Duration.ofDays(270)))) {
        boolean away = random.nextInt(20) == 0;
        life.later(away ? Duration.ofHours(1 + random.nextInt(120)) : Duration.ofMinutes(1 + random.nextInt(400)));
        life.passSchedule("s", random.nextInt(10) == 0);
        life.backups.values().removeIf(backup -> backup.getMetadata().getDeletionTimestamp() != null);
        for (KvorumBackup backup : List.copyOf(life.backups.values())) {
          String name = backup.getMetadata().getName();
          if (backup.known().phase() == Phase.PENDING && random.nextInt(4) > 0) {
            made.merge(name, 1, Integer::sum);
            life.complete(name, "full", ++revision, "");
          }
        }
        while (life.passSchedule("s", false).action().filter(action -> action instanceof BackupAction.DeleteBackup).isPresent()) {
          life.backups.values().removeIf(backup -> backup.getMetadata().getDeletionTimestamp() != null);
        }
        long active = life.backups.values().stream().filter(backup -> !backup.known().phase().isFinal()).count();
        assertThat(active).as("seed %d: one at a time", seed).isLessThanOrEqualTo(1);
      }
      assertThat(made.values()).as("seed %d", seed).containsOnly(1);
      life.passSchedule("s", false);
      KvorumBackupScheduleStatus status = life.schedules.get("s").known();
      life.backups.keySet().forEach(name -> made.putIfAbsent(name, 1));
      assertThat(status.runs()).as("seed %d", seed).isEqualTo(made.size());
      assertThat(life.backups.size()).as("seed %d: retention goes on", seed).isLessThanOrEqualTo(12);
      long served = cron.count(begin, Instant.parse(status.lastScheduleTime()), 10_000);
      assertThat(status.runs() + status.missedRuns()).as("seed %d: every moment is accounted for", seed).isEqualTo(served);
      Duration since = Duration.between(Instant.parse(status.lastScheduleTime()), life.now);
      assertThat(cron.count(Instant.parse(status.lastScheduleTime()), life.now, 10))
          .as("seed %d: what is due is served, or waits for a run under way: %s", seed, since)
          .isLessThanOrEqualTo(status.active().isEmpty() ? 0 : 10);
    }
  }
}
