package io.kvorum.operator.backup;

import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.event.PlannedEvent;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What one pass over a backup decided. The status is written first (when it differs), then the action is carried out: a source is named before a Job reads from it.
 *
 * @param status to write
 * @param events what the user is told, in order
 * @param requeueAfter when the next pass is due at the latest
 */
public record BackupPlan(KvorumBackupStatus status, Optional<BackupAction> action, List<PlannedEvent> events, Duration requeueAfter) {
  public BackupPlan {
    events = List.copyOf(events);
  }
}
