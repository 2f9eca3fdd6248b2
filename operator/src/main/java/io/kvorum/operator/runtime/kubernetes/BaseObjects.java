package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.desired.Budget;
import io.kvorum.operator.desired.MemberConfig;
import io.kvorum.operator.desired.MemberPod;
import io.kvorum.operator.desired.Monitoring;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.desired.PodConfig;
import io.kvorum.operator.desired.Services;
import io.kvorum.operator.plan.Action.StartMode;
import io.kvorum.operator.runtime.Owners;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/** What is never disruptive: Services, budget, configuration, monitors, and the labels and annotations of running pods. */
final class BaseObjects {
  /** A kubelet that was told by a changed annotation has the new file within this. */
  private static final Duration MOUNTED = Duration.ofSeconds(3);

  private static final Duration KINDS_KNOWN = Duration.ofMinutes(5);

  private final KubernetesClient client;
  private final Applier applier;
  private final Writes writes;
  private final Clock clock;
  private final Set<String> removed = new HashSet<>();
  private Instant kindsAsked = Instant.EPOCH;
  private boolean monitoringKnown;

  BaseObjects(KubernetesClient client, Applier applier, Writes writes, Clock clock) {
    this.client = client;
    this.applier = applier;
    this.writes = writes;
    this.clock = clock;
  }

  /** @param certificates a text, by member, that changes with its certificate files; empty without any */
  void apply(KvorumCluster cluster, List<KvorumMember> members, List<Pod> pods, UnaryOperator<String> certificates) {
    Services.all(cluster).forEach(service -> applier.apply(owned(service, cluster)));
    if (cluster.getSpec().services().external() == null) {
      remove(Services.external(cluster));
    } else {
      removed.remove(Names.externalService(cluster.getMetadata().getName()));
    }
    budget(cluster, members);
    monitoring(cluster);
    Map<String, Pod> running = new HashMap<>();
    pods.forEach(pod -> running.put(pod.getMetadata().getName(), pod));
    for (KvorumMember member : members) {
      Pod pod = running.get(member.getSpec().memberName());
      if (pod != null) {
        applier.apply(configMap(cluster, member, beginning(pod)));
        metadata(cluster, member, pod, certificates.apply(member.getSpec().memberName()));
      }
    }
  }

  /** Whether all running members can read their present configuration. */
  boolean configPublished(KvorumCluster cluster, List<KvorumMember> members, List<Pod> pods) {
    Map<String, KvorumMember> byName = new HashMap<>();
    members.forEach(member -> byName.put(member.getSpec().memberName(), member));
    return pods.stream()
        .filter(pod -> byName.containsKey(pod.getMetadata().getName()))
        .allMatch(pod -> applier.isOlder(configMap(cluster, byName.get(pod.getMetadata().getName()), beginning(pod)), MOUNTED));
  }

  /** How a pod was started. */
  static MemberConfig.Beginning beginning(Pod pod) {
    String mode = Surroundings.annotation(pod, Names.START_MODE);
    String peers = Surroundings.annotation(pod, Names.START_PEERS);
    return new MemberConfig.Beginning(
        mode.isEmpty() ? StartMode.EXISTING : StartMode.valueOf(mode), Surroundings.annotation(pod, Names.START_TOKEN),
        peers.isEmpty() ? List.of() : Arrays.asList(peers.split(",")));
  }

  ConfigMap configMap(KvorumCluster cluster, KvorumMember member, MemberConfig.Beginning beginning) {
    ConfigMap config = PodConfig.configMap(cluster, member.getSpec(), beginning);
    config.getMetadata().setOwnerReferences(List.of(Owners.controlledBy(member)));
    return config;
  }

  private void metadata(KvorumCluster cluster, KvorumMember member, Pod pod, String certificates) {
    Map<String, String> labels = pod.getMetadata().getLabels();
    Map<String, String> wanted = MemberPod.labels(cluster, member, "true".equals(labels.get(Names.SERVING)));
    if (!labels.entrySet().containsAll(wanted.entrySet())) {
      writes.label(pod, wanted);
    }
    Map<String, String> annotations = new HashMap<>(cluster.getSpec().podTemplate().annotations());
    annotations.put(Names.CONFIG_HASH, PodConfig.options(cluster, member.getSpec(), beginning(pod)).hash());
    if (!certificates.isEmpty()) {
      annotations.put(Names.CERTIFICATES_HASH, certificates);
    }
    if (!pod.getMetadata().getAnnotations().entrySet().containsAll(annotations.entrySet())) {
      writes.annotate(pod, annotations);
    }
  }

  private void budget(KvorumCluster cluster, List<KvorumMember> members) {
    int voters =
        (int)
            members.stream()
                .map(member -> member.getStatus() == null ? null : member.getStatus().role())
                .filter(role -> role == KvorumMemberStatus.Role.VOTER || role == KvorumMemberStatus.Role.LEADER)
                .count();
    Optional<PodDisruptionBudget> budget = Budget.of(cluster, voters);
    if (budget.isPresent()) {
      applier.apply(owned(budget.get(), cluster));
      removed.remove(budget.get().getMetadata().getName());
    } else {
      remove(Budget.of(cluster, 2).orElseThrow());
    }
  }

  /** Deletes what is wanted no more, once. */
  private void remove(HasMetadata former) {
    if (removed.add(former.getMetadata().getName())) {
      client.resource(former).delete();
      applier.forget(former);
    }
  }

  private void monitoring(KvorumCluster cluster) {
    boolean monitor = cluster.getSpec().monitoring().serviceMonitor();
    boolean rules = cluster.getSpec().monitoring().prometheusRule();
    if (!(monitor || rules) || !monitoringKnown()) {
      return;
    }
    if (monitor) {
      applier.apply(owned(Monitoring.serviceMonitor(cluster), cluster));
    }
    if (rules) {
      applier.apply(owned(Monitoring.rules(cluster), cluster));
    }
  }

  /** Whether the API server has the Prometheus operator's kinds; asked now and then. */
  private boolean monitoringKnown() {
    if (clock.instant().isAfter(kindsAsked.plus(KINDS_KNOWN))) {
      monitoringKnown = client.supports(Monitoring.API, Monitoring.SERVICE_MONITOR) && client.supports(Monitoring.API, Monitoring.RULE);
      kindsAsked = clock.instant();
    }
    return monitoringKnown;
  }

  static <T extends HasMetadata> T owned(T object, KvorumCluster cluster) {
    object.getMetadata().setOwnerReferences(List.of(Owners.controlledBy(cluster)));
    return object;
  }
}
