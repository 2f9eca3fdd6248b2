package io.kvorum.operator.backup;

import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.api.KvorumCluster;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * All that the plan of one schedule follows from.
 *
 * @param at the moment of the observation
 * @param schedule that is planned for, with the status that was last written
 * @param cluster that it is of; empty when there is none
 * @param backups all of the namespace
 * @param schedules all of the namespace, this one among them
 */
public record ScheduleObservation(
    Instant at, KvorumBackupSchedule schedule, Optional<KvorumCluster> cluster, List<KvorumBackup> backups, List<KvorumBackupSchedule> schedules) {
  public ScheduleObservation {
    backups = List.copyOf(backups);
    schedules = List.copyOf(schedules);
  }
}
