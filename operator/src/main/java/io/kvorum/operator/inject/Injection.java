package io.kvorum.operator.inject;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodSecurityContext;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.SecurityContext;
import io.fabric8.kubernetes.api.model.Volume;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.TlsSpec;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.inject.Outcome.Operation;
import io.kvorum.operator.workload.Declaration;
import io.kvorum.operator.workload.Declaration.ClusterRef;
import io.kvorum.operator.workload.Verdict;
import io.kvorum.operator.workload.Workload;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What a pod that asks for an agent gets: a patch, or the reasons why it stays as it is. */
public final class Injection {
  /** Name of the agent's container. */
  public static final String CONTAINER = Sidecar.CONTAINER;

  private static final String MIRROR_POD = "kubernetes.io/config.mirror";
  private static final int FIRST_PROBE_PORT = 2381;
  private static final long DEFAULT_GRACE = 30;
  private static final int DEFAULT_DRAIN = 5;

  private final Pod pod;
  private final String namespace;
  private final Wish wish;
  private final List<String> problems;
  private final List<String> warnings = new ArrayList<>();

  private Injection(Pod pod, String namespace, Wishes.Reading reading) {
    this.pod = pod;
    this.namespace = namespace;
    this.wish = reading.wish();
    this.problems = new ArrayList<>(reading.problems());
  }

  /** Whether the pod has an agent. */
  public static boolean present(Pod pod) {
    return pod.getSpec().getInitContainers().stream().anyMatch(one -> one.getName().equals(CONTAINER));
  }

  /**
   * Decides about one pod.
   *
   * @param pod as the API server shows it, which may be without name and namespace
   * @param namespace of the pod
   * @param clusters finds the cluster that the pod asks; what it throws is the caller's
   */
  public static Outcome decide(Pod pod, String namespace, Function<ClusterRef, Optional<KvorumCluster>> clusters, Defaults defaults) {
    if (present(pod)) {
      return new Outcome.Present();
    }
    Optional<Wishes.Reading> reading = Wishes.read(pod, namespace);
    if (reading.isEmpty()) {
      return new Outcome.Refused(List.of("the label " + Declaration.INJECT + " names no KvorumCluster"));
    }
    Optional<KvorumCluster> cluster = clusters.apply(reading.get().wish().declaration().cluster());
    Injection injection = new Injection(pod, namespace, reading.get());
    Optional<Service> service = injection.check(cluster);
    if (!injection.problems.isEmpty()) {
      return new Outcome.Refused(List.copyOf(injection.problems));
    }
    return injection.patch(cluster.orElseThrow(), defaults, service);
  }

  private Optional<Service> check(Optional<KvorumCluster> cluster) {
    Declaration declaration = wish.declaration();
    if (cluster.isEmpty()) {
      problems.add("there is no KvorumCluster " + declaration.cluster() + " that this operator looks after");
    } else if (Verdict.of(declaration, cluster.get().getSpec().injection()) instanceof Verdict.Refused(String why)) {
      problems.add(why);
    } else if (unissued(cluster.get().getSpec().tls().client())) {
      problems.add("the cluster demands certificates of its clients, which the operator issues with tls.client.mode Managed only");
    }
    if (pod.getMetadata().getAnnotations() != null && pod.getMetadata().getAnnotations().containsKey(MIRROR_POD)) {
      problems.add("a static pod cannot be changed");
    }
    if (spec().getOs() != null && "windows".equals(spec().getOs().getName())) {
      problems.add("an agent needs Linux");
    }
    if (hostNetwork() && spec().getContainers().stream().anyMatch(one -> user(one).isEmpty())) {
      problems.add("in its host's network a pod shares loopback with the node: set runAsUser, so that the agent can tell who calls");
    }
    free(wish.port(), Annotations.PORT);
    wish.dnsPort().ifPresent(port -> free(port, Annotations.DNS_PORT));
    if (wish.dnsPort().equals(OptionalInt.of(wish.port()))) {
      problems.add(Annotations.DNS_PORT + " cannot be the agent's own port");
    }
    if (hostNetwork() && wish.dnsPort().isPresent()) {
      problems.add(Annotations.DNS_PORT + ": whoever is in the host's network could ask");
    }
    for (Volume volume : spec().getVolumes()) {
      if (volume.getName().equals(Sidecar.CREDENTIALS) || volume.getName().equals(Sidecar.DATA)) {
        problems.add("the volume name " + volume.getName() + " is taken");
      }
    }
    if (spec().getContainers().stream().anyMatch(one -> one.getName().equals(CONTAINER))) {
      problems.add("the container name " + CONTAINER + " is taken");
    }
    if (wish.registration().isEmpty()) {
      return Optional.empty();
    }
    Service.Found found = Service.of(pod, wish.registration().get());
    problems.addAll(found.problems());
    warnings.addAll(found.warnings());
    return found.service();
  }

  private void free(int port, String annotation) {
    String taken = ports().get(port);
    if (taken != null) {
      problems.add("port " + port + " is the container " + taken + "'s: set " + annotation);
    }
  }

  private static boolean unissued(TlsSpec.Plane tls) {
    return tls.on() && tls.clientAuth() == TlsSpec.ClientAuth.REQUIRED && tls.mode() != TlsSpec.Mode.MANAGED;
  }

  private Outcome patch(KvorumCluster cluster, Defaults defaults, Optional<Service> service) {
    PodSpec spec = spec();
    boolean versioned = pod.getMetadata().getLabels().containsKey(Sidecar.VERSION_LABEL);
    Sidecar sidecar = new Sidecar(cluster, defaults, Workload.of(pod, namespace), wish, probePort(), callers(), service, versioned);
    if (hostNetwork() && !"ClusterFirstWithHostNet".equals(spec.getDnsPolicy())) {
      warnings.add("a pod in its host's network finds the cluster by name with dnsPolicy ClusterFirstWithHostNet only");
    }
    List<Operation> patch = new ArrayList<>();
    append(patch, "/spec/volumes", spec.getVolumes(), sidecar.volumes());
    prepend(patch, "/spec/initContainers", spec.getInitContainers(), List.of(sidecar.container()));
    for (int i = 0; i < spec.getContainers().size(); i++) {
      application(patch, "/spec/containers/" + i, spec.getContainers().get(i), sidecar);
      drain(patch, "/spec/containers/" + i, spec.getContainers().get(i), service);
    }
    // The agent stands before them, so that they can use it too.
    int shift = 1;
    for (int i = 0; i < spec.getInitContainers().size(); i++) {
      Container container = spec.getInitContainers().get(i);
      if (!"Always".equals(container.getRestartPolicy())) {
        application(patch, "/spec/initContainers/" + (i + shift), container, sidecar);
      }
    }
    pullSecrets(patch, cluster);
    return new Outcome.Patched(List.copyOf(patch), List.copyOf(warnings));
  }

  private static void application(List<Operation> patch, String path, Container container, Sidecar sidecar) {
    List<String> set = container.getEnv().stream().map(EnvVar::getName).toList();
    // Before the container's own, so that these can refer to them.
    prepend(patch, path + "/env", container.getEnv(), sidecar.told().stream().filter(one -> !set.contains(one.getName())).toList());
  }

  /** Between the end of the entry, at which clients turn away, and the application's SIGTERM. At most half of the grace period is taken from the application. */
  private void drain(List<Operation> patch, String path, Container container, Optional<Service> service) {
    if (service.isEmpty() || (container.getLifecycle() != null && container.getLifecycle().getPreStop() != null)) {
      return;
    }
    long grace = spec().getTerminationGracePeriodSeconds() == null ? DEFAULT_GRACE : spec().getTerminationGracePeriodSeconds();
    int asked = wish.registration().orElseThrow().drainSeconds().orElse(DEFAULT_DRAIN);
    long seconds = Math.min(asked, grace / 2);
    String shortened = Annotations.DRAIN_SECONDS + ": " + seconds + " in place of " + asked + ", half of terminationGracePeriodSeconds";
    if (seconds < asked && !warnings.contains(shortened)) {
      warnings.add(shortened);
    }
    if (seconds > 0) {
      Map<String, Object> preStop = Map.of("sleep", Map.of("seconds", seconds));
      patch.add(container.getLifecycle() == null ? Operation.add(path + "/lifecycle", Map.of("preStop", preStop)) : Operation.add(path + "/lifecycle/preStop", preStop));
    }
  }

  /** Secrets of the cluster's own namespace are of use to its own pods alone. */
  private void pullSecrets(List<Operation> patch, KvorumCluster cluster) {
    if (!namespace.equals(cluster.getMetadata().getNamespace())) {
      return;
    }
    List<LocalObjectReference> present = spec().getImagePullSecrets();
    List<LocalObjectReference> missing =
        cluster.getSpec().image().pullSecrets().stream().map(LocalObjectReference::new).filter(one -> !present.contains(one)).toList();
    append(patch, "/spec/imagePullSecrets", present, missing);
  }

  private static <T> void append(List<Operation> patch, String path, List<T> present, List<T> more) {
    if (present.isEmpty() && !more.isEmpty()) {
      patch.add(Operation.add(path, more));
    } else {
      more.forEach(one -> patch.add(Operation.add(path + "/-", one)));
    }
  }

  private static <T> void prepend(List<Operation> patch, String path, List<T> present, List<T> more) {
    if (present.isEmpty() && !more.isEmpty()) {
      patch.add(Operation.add(path, more));
    } else {
      more.reversed().forEach(one -> patch.add(Operation.add(path + "/0", one)));
    }
  }

  private PodSpec spec() {
    return pod.getSpec();
  }

  private boolean hostNetwork() {
    return Boolean.TRUE.equals(spec().getHostNetwork());
  }

  /** Users of the application's containers where loopback is the node's; else none. */
  private Set<Long> callers() {
    return hostNetwork() ? spec().getContainers().stream().flatMap(one -> user(one).stream()).collect(Collectors.toSet()) : Set.of();
  }

  private Optional<Long> user(Container container) {
    Optional<Long> own = Optional.ofNullable(container.getSecurityContext()).map(SecurityContext::getRunAsUser);
    return own.or(() -> Optional.ofNullable(spec().getSecurityContext()).map(PodSecurityContext::getRunAsUser));
  }

  /** Ports of the pod's containers, as far as they declare them, by number. */
  private Map<Integer, String> ports() {
    Map<Integer, String> ports = new HashMap<>();
    Stream.concat(spec().getContainers().stream(), spec().getInitContainers().stream())
        .forEach(container -> container.getPorts().stream().map(ContainerPort::getContainerPort).forEach(port -> ports.putIfAbsent(port, container.getName())));
    return ports;
  }

  private int probePort() {
    Map<Integer, String> taken = ports();
    int port = FIRST_PROBE_PORT;
    while (taken.containsKey(port) || port == wish.port() || wish.dnsPort().equals(OptionalInt.of(port))) {
      port++;
    }
    return port;
  }
}
