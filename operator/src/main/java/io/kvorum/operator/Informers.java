package io.kvorum.operator;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeCondition;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.runtime.kubernetes.Caches;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What wakes the reconciler, and the caches behind it. Pods and claims are watched by label, so that nobody else's are kept. */
public final class Informers implements Caches {
  private volatile IndexerResourceCache<KvorumCluster> clusters;
  private volatile InformerEventSource<Pod, KvorumCluster> pods;
  private volatile InformerEventSource<PersistentVolumeClaim, KvorumCluster> claims;
  private volatile InformerEventSource<KvorumOperation, KvorumCluster> operations;
  private volatile InformerEventSource<KvorumBackup, KvorumCluster> backups;
  private volatile InformerEventSource<KvorumBackupSchedule, KvorumCluster> schedules;
  private volatile InformerEventSource<Node, KvorumCluster> nodes;
  private final Map<ResourceID, List<String>> workloadProblems = new ConcurrentHashMap<>();

  List<EventSource<?, KvorumCluster>> sources(EventSourceContext<KvorumCluster> context) {
    clusters = context.getPrimaryCache();
    pods = source(Pod.class, context);
    claims = source(PersistentVolumeClaim.class, context);
    InformerEventSource<KvorumMember, KvorumCluster> members = source(KvorumMember.class, context);
    operations = about(KvorumOperation.class, operation -> operation.getSpec().clusterRef(), context);
    backups = about(KvorumBackup.class, backup -> backup.getSpec().clusterRef(), context);
    schedules = about(KvorumBackupSchedule.class, schedule -> schedule.getSpec().clusterRef(), context);
    nodes =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(Node.class, KvorumCluster.class)
                .withSecondaryToPrimaryMapper(node -> clusters.list(cluster -> true).map(ResourceID::fromResource).collect(Collectors.toSet()))
                .withOnUpdateFilter(Informers::matters)
                .withWatchAllNamespaces()
                .build(),
            context);
    return List.of(pods, claims, members, operations, backups, schedules, nodes);
  }

  /** Objects that name their cluster in their specification. */
  private static <T extends HasMetadata> InformerEventSource<T, KvorumCluster> about(
      Class<T> kind, Function<T, String> cluster, EventSourceContext<KvorumCluster> context) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(kind, KvorumCluster.class)
            .withSecondaryToPrimaryMapper(object -> Set.of(new ResourceID(cluster.apply(object), object.getMetadata().getNamespace())))
            .withNamespacesInheritedFromController()
            .build(),
        context);
  }

  private static <T extends HasMetadata> InformerEventSource<T, KvorumCluster> source(Class<T> kind, EventSourceContext<KvorumCluster> context) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(kind, KvorumCluster.class)
            .withLabelSelector(Names.CLUSTER)
            .withSecondaryToPrimaryMapper(
                object -> Set.of(new ResourceID(object.getMetadata().getLabels().get(Names.CLUSTER), object.getMetadata().getNamespace())))
            .withNamespacesInheritedFromController()
            .build(),
        context);
  }

  /** Kubelets report every few seconds; only what may move a leader or a member wakes anybody. */
  private static boolean matters(Node now, Node before) {
    return !Objects.equals(now.getSpec().getUnschedulable(), before.getSpec().getUnschedulable())
        || !Objects.equals(now.getSpec().getTaints(), before.getSpec().getTaints())
        || !Objects.equals(now.getMetadata().getLabels(), before.getMetadata().getLabels())
        || !ready(now).equals(ready(before));
  }

  private static Optional<String> ready(Node node) {
    return node.getStatus().getConditions().stream().filter(condition -> condition.getType().equals("Ready")).map(NodeCondition::getStatus).findFirst();
  }

  @Override
  public List<Pod> pods(String namespace, String cluster) {
    return pods.list(namespace, pod -> cluster.equals(pod.getMetadata().getLabels().get(Names.CLUSTER))).toList();
  }

  @Override
  public List<PersistentVolumeClaim> claims(String namespace, String cluster) {
    return claims.list(namespace, claim -> cluster.equals(claim.getMetadata().getLabels().get(Names.CLUSTER))).toList();
  }

  @Override
  public List<Node> nodes() {
    return nodes.list(node -> true).toList();
  }

  @Override
  public List<KvorumOperation> operations(String namespace, String cluster) {
    return operations.list(namespace, operation -> cluster.equals(operation.getSpec().clusterRef())).toList();
  }

  @Override
  public List<KvorumBackup> backups(String namespace) {
    return backups.list(namespace, backup -> true).toList();
  }

  @Override
  public List<KvorumBackupSchedule> schedules(String namespace) {
    return schedules.list(namespace, schedule -> true).toList();
  }

  /** Told by those that look after workloads. */
  public void workloadProblems(ResourceID cluster, List<String> problems) {
    if (problems.isEmpty()) {
      workloadProblems.remove(cluster);
    } else {
      workloadProblems.put(cluster, List.copyOf(problems));
    }
  }

  @Override
  public List<String> workloadProblems(String namespace, String cluster) {
    return workloadProblems.getOrDefault(new ResourceID(cluster, namespace), List.of());
  }

  @Override
  public List<KvorumCluster> clusters() {
    return clusters.list(cluster -> true).toList();
  }
}
