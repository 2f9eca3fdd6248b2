package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupStatus.Artefact;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.backup.BackupObservation;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/** In place of a cluster that is gone, for Jobs about what it left: the version that took the backup, of the installation's repository, and room to restore. */
final class StandIn {
  private static final long ROOM = 1L << 30;

  /** Files that are restored, their log, and the merge of both. */
  private static final long TIMES = 3;

  private StandIn() {}

  /** Empty when neither this backup nor another one of the cluster says which version took it. */
  static Optional<KvorumCluster> of(BackupObservation seen) {
    KvorumBackup backup = seen.backup();
    Artefact own = backup.known().artefact();
    return Stream.concat(Stream.of(backup), seen.backups().stream().filter(other -> other.getSpec().clusterRef().equals(backup.getSpec().clusterRef())))
        .map(one -> one.known().artefact())
        .filter(Objects::nonNull)
        .map(Artefact::version)
        .filter(version -> !version.isEmpty())
        .findFirst()
        .map(version -> cluster(backup, version, ROOM + TIMES * (own == null ? 0 : own.sizeBytes())));
  }

  private static KvorumCluster cluster(KvorumBackup backup, String version, long bytes) {
    KvorumCluster cluster = new KvorumCluster();
    cluster.setMetadata(new ObjectMetaBuilder().withName(backup.getSpec().clusterRef()).withNamespace(backup.getMetadata().getNamespace()).build());
    cluster.setSpec(Serialization.jsonMapper().convertValue(
        Map.of("version", version, "storage", Map.of("size", Long.toString(bytes))), KvorumClusterSpec.class));
    return cluster;
  }
}
