package io.kvorum.operator;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.runtime.kubernetes.WorkloadCaches;
import io.kvorum.operator.workload.AgentSecret;
import io.kvorum.operator.workload.Declaration;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/** What wakes those who look after workloads, and the caches behind it. Pods and Secrets are watched by label, so that nobody else's are kept. */
public final class WorkloadInformers implements WorkloadCaches {
  private volatile IndexerResourceCache<KvorumCluster> clusters;
  private volatile InformerEventSource<Pod, KvorumCluster> pods;
  private volatile InformerEventSource<Secret, KvorumCluster> secrets;

  List<EventSource<?, KvorumCluster>> sources(EventSourceContext<KvorumCluster> context) {
    clusters = context.getPrimaryCache();
    pods =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(Pod.class, KvorumCluster.class)
                .withName("agent-pods")
                .withLabelSelector(Declaration.INJECT)
                .withSecondaryToPrimaryMapper(WorkloadInformers::asked)
                .withOnUpdateFilter(WorkloadInformers::matters)
                .withNamespacesInheritedFromController()
                .build(),
            context);
    secrets =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(Secret.class, KvorumCluster.class)
                .withName("agent-secrets")
                .withLabelSelector(AgentSecret.CLUSTER)
                .withSecondaryToPrimaryMapper(secret -> AgentSecret.cluster(secret).map(WorkloadInformers::id).stream().collect(Collectors.toSet()))
                .withNamespacesInheritedFromController()
                .build(),
            context);
    return List.of(pods, secrets);
  }

  private static Set<ResourceID> asked(Pod pod) {
    return Declaration.of(pod.getMetadata(), pod.getMetadata().getNamespace()).map(one -> id(one.cluster())).stream().collect(Collectors.toSet());
  }

  private static ResourceID id(ClusterRef cluster) {
    return new ResourceID(cluster.name(), cluster.namespace());
  }

  /** Kubelets report often; what a pod declares, and whether it has ended, is all that counts here. */
  private static boolean matters(Pod now, Pod before) {
    return !Objects.equals(now.getMetadata().getLabels(), before.getMetadata().getLabels())
        || !Objects.equals(now.getMetadata().getAnnotations(), before.getMetadata().getAnnotations())
        || !Objects.equals(phase(now), phase(before));
  }

  private static String phase(Pod pod) {
    return pod.getStatus() == null ? null : pod.getStatus().getPhase();
  }

  @Override
  public List<Pod> agentPods() {
    return pods.list(pod -> true).toList();
  }

  @Override
  public List<Secret> agentSecrets() {
    return secrets.list(secret -> true).toList();
  }

  /** Clusters that are there. */
  Set<ResourceID> all() {
    return clusters.list(cluster -> true).map(ResourceID::fromResource).collect(Collectors.toSet());
  }
}
