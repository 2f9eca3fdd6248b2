package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.kvorum.operator.workload.Declaration;
import io.kvorum.operator.workload.Workload;
import io.kvorum.operator.workload.WorkloadObservation.Owner;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * Looks up whether a workload without pods may get some again: a Deployment, StatefulSet, DaemonSet, ReplicaSet or unfinished Job of its name. Controllers of other kinds
 * are not known; their workloads end with the last pod, and begin anew with the next.
 */
final class WorkloadOwners {
  private static final Logger LOG = Logger.getLogger(WorkloadOwners.class.getName());

  private final KubernetesClient client;

  WorkloadOwners(KubernetesClient client) {
    this.client = client;
  }

  Owner of(Workload workload) {
    List<Declaration> declarations = new ArrayList<>();
    try {
      add(Deployment.class, owner -> owner.getSpec().getTemplate(), workload, declarations);
      add(StatefulSet.class, owner -> owner.getSpec().getTemplate(), workload, declarations);
      add(DaemonSet.class, owner -> owner.getSpec().getTemplate(), workload, declarations);
      add(ReplicaSet.class, owner -> owner.getSpec().getTemplate(), workload, declarations);
      add(Job.class, owner -> finished(owner) ? null : owner.getSpec().getTemplate(), workload, declarations);
    } catch (KubernetesClientException e) {
      LOG.log(Level.WARNING, "{0}: its owner could not be looked up: {1}", new Object[] {workload, e.getMessage()});
      return new Owner(false, List.of());
    }
    return new Owner(true, declarations);
  }

  private <T extends HasMetadata> void add(Class<T> kind, Function<T, PodTemplateSpec> template, Workload workload, List<Declaration> found) {
    T owner = client.resources(kind).inNamespace(workload.namespace()).withName(workload.name()).get();
    PodTemplateSpec pods = owner == null || owner.getMetadata().getDeletionTimestamp() != null ? null : template.apply(owner);
    ObjectMeta about = pods == null ? null : pods.getMetadata();
    if (about != null) {
      Declaration.of(about, workload.namespace()).ifPresent(found::add);
    }
  }

  private static boolean finished(Job job) {
    return job.getStatus() != null
        && job.getStatus().getConditions().stream()
            .anyMatch(one -> (one.getType().equals("Complete") || one.getType().equals("Failed")) && "True".equals(one.getStatus()));
  }
}
