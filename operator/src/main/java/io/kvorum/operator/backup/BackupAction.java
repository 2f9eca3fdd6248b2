package io.kvorum.operator.backup;

import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.desired.BackupJob;
import io.kvorum.operator.desired.BackupStorage;
import java.time.Duration;
import java.util.Map;

/**
 * One thing that the plan of a backup or of a schedule wants done. Every action is idempotent: what is there already (or gone already) is done.
 */
public sealed interface BackupAction {

  /**
   * Makes a Job that runs one command once.
   *
   * @param name of the Job: the same for the same attempt
   * @param id of the backup in its repository
   * @param storage where the repository is
   * @param type what a {@link BackupJob.Kind#BACKUP} takes
   * @param source member that a BACKUP reads from; empty for the other kinds
   * @param bytesPerSecond that a BACKUP reads at most; 0 for no bound
   * @param deadline after which Kubernetes ends it
   */
  record CreateJob(
      String name, BackupJob.Kind kind, String id, BackupStorage storage, KvorumBackupSpec.Type type, String source, long bytesPerSecond, Duration deadline)
      implements BackupAction {}

  /** Deletes a Job with its pods. */
  record DeleteJob(String name) implements BackupAction {}

  /** Releases the finalizer of a backup that is being deleted. */
  record Release() implements BackupAction {}

  /** Makes a KvorumBackup. */
  record CreateBackup(String name, KvorumBackupSpec spec, Map<String, String> labels) implements BackupAction {
    public CreateBackup {
      labels = Map.copyOf(labels);
    }
  }

  /** Deletes the KvorumBackup that has this uid; its deletionPolicy says what becomes of the artefact. */
  record DeleteBackup(String name, String uid) implements BackupAction {}
}
