package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.desired.Names;
import java.util.List;

/** Caches that are never old. */
record FreshCaches(KubernetesClient client) implements Caches {
  @Override
  public List<Pod> pods(String namespace, String cluster) {
    return client.pods().inNamespace(namespace).withLabel(Names.CLUSTER, cluster).list().getItems();
  }

  @Override
  public List<PersistentVolumeClaim> claims(String namespace, String cluster) {
    return client.persistentVolumeClaims().inNamespace(namespace).withLabel(Names.CLUSTER, cluster).list().getItems();
  }

  @Override
  public List<Node> nodes() {
    return client.nodes().list().getItems();
  }

  @Override
  public List<KvorumOperation> operations(String namespace, String cluster) {
    return client.resources(KvorumOperation.class).inNamespace(namespace).list().getItems();
  }

  @Override
  public List<KvorumBackup> backups(String namespace) {
    return client.resources(KvorumBackup.class).inNamespace(namespace).list().getItems();
  }

  @Override
  public List<KvorumBackupSchedule> schedules(String namespace) {
    return client.resources(KvorumBackupSchedule.class).inNamespace(namespace).list().getItems();
  }

  @Override
  public List<String> workloadProblems(String namespace, String cluster) {
    return List.of();
  }

  @Override
  public List<KvorumCluster> clusters() {
    return client.resources(KvorumCluster.class).inAnyNamespace().list().getItems();
  }
}
