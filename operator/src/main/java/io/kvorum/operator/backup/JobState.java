package io.kvorum.operator.backup;

import io.kvorum.operator.desired.BackupJob;
import java.util.Optional;

/**
 * A Job of one backup, as it was seen.
 *
 * @param result what its command left as termination message; empty while it runs, and when nothing legible was left
 * @param message why its pod does not run, or the end of its log; empty when there is nothing to say
 */
public record JobState(String name, BackupJob.Kind kind, Phase phase, Optional<JobResult> result, String message) {

  /** Where a Job is in its life. */
  public enum Phase {
    /** Its pod does not run yet. */
    WAITING,
    RUNNING,
    SUCCEEDED,
    FAILED
  }
}
