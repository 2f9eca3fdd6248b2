package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.workload.AgentSecret;
import io.kvorum.operator.workload.Declaration;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import io.kvorum.operator.workload.Workload;
import io.kvorum.operator.workload.WorkloadObservation.Owner;
import java.util.List;
import java.util.Optional;

/** Deletes a workload's Secret when neither its cluster nor the workload is there any more. While the cluster is there, the pass over its workloads decides. */
public final class OrphanedSecrets {
  private final KubernetesClient client;
  private final WorkloadOwners owners;

  public OrphanedSecrets(KubernetesClient client) {
    this.client = client;
    this.owners = new WorkloadOwners(client);
  }

  /** Everything is read fresh, since caches of several kinds fill at their own pace. */
  public void deleteIfOver(Secret secret) {
    Optional<ClusterRef> cluster = AgentSecret.cluster(secret);
    Optional<Workload> workload = AgentSecret.workload(secret);
    if (cluster.isEmpty() || workload.isEmpty() || secret.getMetadata().getDeletionTimestamp() != null || exists(cluster.get())) {
      return;
    }
    boolean pods =
        client.pods().inNamespace(workload.get().namespace()).withLabel(Declaration.INJECT, cluster.get().name()).list().getItems().stream()
            .anyMatch(pod -> Workload.of(pod).equals(workload.get()));
    if (pods) {
      return;
    }
    Owner owner = owners.of(workload.get());
    List<Declaration> declared = owner.declarations();
    if (owner.known() && declared.stream().noneMatch(one -> one.cluster().equals(cluster.get()))) {
      Writes.deleteThis(client, secret);
    }
  }

  private boolean exists(ClusterRef cluster) {
    return client.resources(KvorumCluster.class).inNamespace(cluster.namespace()).withName(cluster.name()).get() != null;
  }
}
