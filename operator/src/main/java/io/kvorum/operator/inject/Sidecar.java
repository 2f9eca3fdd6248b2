package io.kvorum.operator.inject;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.ContainerPort;
import io.fabric8.kubernetes.api.model.ContainerPortBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.Lifecycle;
import io.fabric8.kubernetes.api.model.LifecycleBuilder;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.api.TlsSpec;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.desired.MemberPod;
import io.kvorum.operator.desired.PodConfig;
import io.kvorum.operator.desired.PodSecurity;
import io.kvorum.operator.desired.Secrets;
import io.kvorum.operator.workload.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The agent's container and its volumes.
 *
 * @param probePort port of health and metrics
 * @param callers users whose processes may call, of a pod whose loopback is the node's; empty where loopback is the pod's own
 * @param service present when the pod is registered
 * @param versioned the pod carries {@link #VERSION_LABEL}
 */
record Sidecar(KvorumCluster cluster, Defaults defaults, Workload workload, Wish wish, int probePort, Set<Long> callers, Optional<Service> service, boolean versioned) {
  /** Name of the container. */
  static final String CONTAINER = "kvorum-agent";

  static final String CREDENTIALS = CONTAINER + "-credentials";
  static final String DATA = CONTAINER + "-data";
  static final String ZONE_LABEL = "topology.kubernetes.io/zone";
  static final String VERSION_LABEL = "app.kubernetes.io/version";
  private static final String CREDENTIALS_MOUNT = "/etc/kvorum";
  private static final String TMP = "/tmp";

  /** Readable by the agent's user, whichever group the pod's volumes are given; only the agent's container mounts them. */
  private static final int CREDENTIALS_MODE = 0444;

  /** A process of its own beside the agent's: small, and soon over. It finds the agent in the folder for temporary files. */
  private static final List<String> DEREGISTER =
      List.of(
          "/opt/java/bin/java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx16m", "-cp", "/opt/kvorum/lib/kvorum.jar",
          "io.kvorum.server.agent.registration.Deregister");

  Container container() {
    return new ContainerBuilder()
        .withName(CONTAINER)
        .withImage(MemberPod.image(cluster, defaults))
        .withImagePullPolicy(MemberPod.pullPolicy(cluster.getSpec()))
        .withRestartPolicy("Always")
        .withArgs(arguments())
        .withEnv(environment())
        .withPorts(port(CONTAINER, wish.port()), port("kvorum-metrics", probePort))
        .withResources(wish.resources())
        .withSecurityContext(PodSecurity.sidecar())
        .withStartupProbe(probe("/livez", 1, 5, 120))
        .withLivenessProbe(probe("/livez", 10, 5, 6))
        // A pod that can go on with old data is not taken from its callers because the cluster is away.
        .withReadinessProbe(probe(wish.staleReads() ? "/livez" : "/readyz", 2, 3, 2))
        .withLifecycle(service.map(one -> deregister()).orElse(null))
        .withVolumeMounts(mount(CREDENTIALS, CREDENTIALS_MOUNT, true), mount(DATA, TMP, null))
        .build();
  }

  private List<String> arguments() {
    TlsSpec.Plane tls = cluster.getSpec().tls().client();
    List<String> arguments = new ArrayList<>();
    arguments.add("agent");
    arguments.add("--endpoints=" + String.join(",", endpoints()));
    if (tls.on()) {
      arguments.add("--cacert=" + file(Secrets.AUTHORITY));
    }
    if (tls.on() && tls.clientAuth() == TlsSpec.ClientAuth.REQUIRED) {
      arguments.add("--cert=" + file(Secrets.CERTIFICATE));
      arguments.add("--key=" + file(Secrets.KEY));
    }
    if (cluster.getSpec().wantsAuth()) {
      arguments.add("--user=" + workload.user());
      arguments.add("--password-file=" + file(Secrets.PASSWORD));
    }
    arguments.add("--listen-client-urls=http://127.0.0.1:" + wish.port());
    arguments.add("--listen-metrics-urls=http://0.0.0.0:" + probePort);
    if (!callers.isEmpty()) {
      arguments.add("--allowed-uids=" + callers.stream().sorted().map(String::valueOf).collect(Collectors.joining(",")));
    }
    if (!wish.mirror().isEmpty()) {
      // Begun anew by each start: what a killed agent left does not pile up.
      arguments.add("--data-dir=" + TMP + "/copy");
    }
    wish.mirror().forEach(prefix -> arguments.add("--mirror=" + literal(prefix)));
    if (wish.staleReads()) {
      arguments.add("--stale-reads");
    }
    wish.dnsPort().ifPresent(port -> arguments.add("--dns-listen=127.0.0.1:" + port));
    service.ifPresent(one -> registration(one, arguments));
    return arguments;
  }

  /** Each voter by its name, so that another one is at hand at once, and the Service for those that will take their places. */
  private List<String> endpoints() {
    List<String> endpoints = new ArrayList<>();
    KvorumClusterStatus status = cluster.getStatus() == null ? KvorumClusterStatus.EMPTY : cluster.getStatus();
    status.members().stream()
        .filter(member -> member.role() == KvorumMemberStatus.Role.VOTER || member.role() == KvorumMemberStatus.Role.LEADER)
        .forEach(member -> endpoints.add(PodConfig.clientUrl(cluster, member.name())));
    endpoints.add(PodConfig.serviceUrl(cluster));
    return endpoints;
  }

  private void registration(Service found, List<String> arguments) {
    arguments.add("--register=" + wish.declaration().service());
    arguments.add("--register-port=" + found.port());
    Map<String, String> metadata = wish.registration().orElseThrow().metadata();
    metadata.forEach((key, value) -> arguments.add("--register-metadata=" + key + "=" + literal(value)));
    if (!metadata.containsKey("zone")) {
      arguments.add("--register-metadata=zone=$(POD_ZONE)");
    }
    if (!metadata.containsKey("version") && versioned) {
      arguments.add("--register-metadata=version=$(POD_VERSION)");
    }
    if (!found.readiness().isEmpty()) {
      arguments.add("--readiness=" + literal(found.readiness()));
    }
    arguments.add("--readiness-period=" + found.periodSeconds() + "s");
  }

  private List<EnvVar> environment() {
    List<EnvVar> environment = new ArrayList<>();
    environment.add(downward("POD_NAME", "metadata.name"));
    environment.add(downward("POD_IP", "status.podIP"));
    if (service.isPresent()) {
      // Kubernetes gives a pod its node's topology labels when it is bound to it.
      environment.add(downward("POD_ZONE", "metadata.labels['" + ZONE_LABEL + "']"));
      if (versioned) {
        environment.add(downward("POD_VERSION", "metadata.labels['" + VERSION_LABEL + "']"));
      }
    }
    return environment;
  }

  private static EnvVar downward(String name, String path) {
    return new EnvVarBuilder().withName(name).withNewValueFrom().withNewFieldRef().withFieldPath(path).endFieldRef().endValueFrom().build();
  }

  /** Kubernetes would replace {@code $(NAME)} in an argument. */
  private static String literal(String argument) {
    return argument.replace("$", "$$");
  }

  private static String file(String name) {
    return CREDENTIALS_MOUNT + "/" + name;
  }

  private ContainerPort port(String name, int port) {
    return new ContainerPortBuilder().withName(name).withContainerPort(port).withHostPort(callers.isEmpty() ? null : port).withProtocol("TCP").build();
  }

  private Probe probe(String path, int period, int timeout, int failures) {
    return new ProbeBuilder()
        .withNewHttpGet()
        .withPath(path)
        .withNewPort(probePort)
        .withScheme("HTTP")
        .endHttpGet()
        .withPeriodSeconds(period)
        .withTimeoutSeconds(timeout)
        .withFailureThreshold(failures)
        .build();
  }

  /** Kubernetes runs it when the pod's end begins, beside the application's own, and long before the agent's SIGTERM. */
  private static Lifecycle deregister() {
    return new LifecycleBuilder().withNewPreStop().withNewExec().withCommand(DEREGISTER).endExec().endPreStop().build();
  }

  List<Volume> volumes() {
    List<Volume> volumes = new ArrayList<>();
    volumes.add(
        new VolumeBuilder().withName(CREDENTIALS).withNewSecret().withSecretName(workload.secret()).withDefaultMode(CREDENTIALS_MODE).endSecret().build());
    volumes.add(new VolumeBuilder().withName(DATA).withNewEmptyDir().endEmptyDir().build());
    return volumes;
  }

  /** What a container of the application is told; a name that it has set already is its own affair. */
  List<EnvVar> told() {
    String url = "http://127.0.0.1:" + wish.port();
    return List.of(variable("KVORUM_ENDPOINTS", url), variable("ETCDCTL_ENDPOINTS", url));
  }

  private static EnvVar variable(String name, String value) {
    return new EnvVarBuilder().withName(name).withValue(value).build();
  }

  static VolumeMount mount(String volume, String path, Boolean readOnly) {
    return new VolumeMountBuilder().withName(volume).withMountPath(path).withReadOnly(readOnly).build();
  }
}
