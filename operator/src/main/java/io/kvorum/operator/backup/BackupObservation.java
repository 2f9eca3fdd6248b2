package io.kvorum.operator.backup;

import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumCluster;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * All that the plan of one backup follows from.
 *
 * @param at the moment of the observation
 * @param backup that is planned for, with the status that was last written
 * @param cluster that it is of; empty when there is none
 * @param backups all of the namespace, this one among them
 * @param jobs of this backup
 * @param namespaceEnds the namespace is being deleted: no Job can be made any more
 */
public record BackupObservation(
    Instant at, KvorumBackup backup, Optional<KvorumCluster> cluster, List<KvorumBackup> backups, List<JobState> jobs, boolean namespaceEnds) {
  public BackupObservation {
    backups = List.copyOf(backups);
    jobs = List.copyOf(jobs);
  }
}
