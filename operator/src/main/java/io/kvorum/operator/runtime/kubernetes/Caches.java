package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumOperation;
import java.util.List;

/**
 * What informers have seen, possibly a moment ago. Whatever is decided from it is safe when it is old: pods are deleted by their uid, made under a name that only
 * one can have, and statuses are written against the version that was read.
 */
public interface Caches {
  /** Pods that carry the cluster's label. */
  List<Pod> pods(String namespace, String cluster);

  /** Claims that carry the cluster's label. */
  List<PersistentVolumeClaim> claims(String namespace, String cluster);

  List<Node> nodes();

  /** All operations about the cluster. */
  List<KvorumOperation> operations(String namespace, String cluster);

  /** All backups of the namespace. */
  List<KvorumBackup> backups(String namespace);

  /** All schedules of backups of the namespace. */
  List<KvorumBackupSchedule> schedules(String namespace);

  /** Why workloads that ask this cluster for an agent do not get all that they need, as of the last pass over them. */
  List<String> workloadProblems(String namespace, String cluster);

  /** All clusters that this operator looks after. */
  List<KvorumCluster> clusters();
}
