package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import java.util.List;

/** What informers have seen of backups, possibly a moment ago; statuses are written against the version that was read, and runs have names that only one can have. */
public interface BackupCaches {
  List<KvorumBackup> backups(String namespace);

  List<KvorumBackupSchedule> schedules(String namespace);

  /** Jobs of this backup. */
  List<Job> jobs(KvorumBackup backup);
}
