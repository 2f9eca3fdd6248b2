package io.kvorum.operator.backup;

import io.kvorum.operator.api.KvorumBackupScheduleStatus;
import io.kvorum.operator.event.PlannedEvent;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What one pass over a schedule decided. The action is carried out first (a run has the name of its moment, so that it is never made twice), then the status is
 * written: a run that a crash came before is still due.
 *
 * @param status to write
 * @param events what the user is told, in order
 * @param requeueAfter when the next pass is due at the latest
 */
public record SchedulePlan(KvorumBackupScheduleStatus status, Optional<BackupAction> action, List<PlannedEvent> events, Duration requeueAfter) {
  public SchedulePlan {
    events = List.copyOf(events);
  }
}
