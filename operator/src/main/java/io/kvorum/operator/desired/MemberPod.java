package io.kvorum.operator.desired;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.ContainerPortBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumMemberStatus;
import io.kvorum.operator.api.TlsSpec;
import io.kvorum.operator.desired.Names.Plane;
import io.kvorum.operator.plan.Action.StartMode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The pod of a member: one container, no shell, nothing that it may write to but its volume and a small temporary folder. */
public final class MemberPod {
  /** Name of the container. */
  public static final String CONTAINER = "kvorum";

  /** Name of the container that makes a restored member's data directory. */
  public static final String RESTORE_CONTAINER = "restore";

  /** The store hands its leadership over at SIGTERM, well within this. */
  private static final long GRACE_SECONDS = 60;

  private static final String TMP_LIMIT = "64Mi";
  static final int SECRET_MODE = 0440;

  private MemberPod() {}

  /**
   * How one pod is made.
   *
   * @param beginning how the member starts
   * @param serving it goes behind the client Service once it is a voter
   * @param spreadHosts the scheduler must, not merely should, spread members over hosts; a claim that is bound already would make that a dead end
   * @param restore its data directory is made from a backup before it starts
   */
  public record Start(MemberConfig.Beginning beginning, boolean serving, boolean spreadHosts, Optional<SeedRestore> restore) {
    /** From what is in the volume. */
    public Start(MemberConfig.Beginning beginning, boolean serving, boolean spreadHosts) {
      this(beginning, serving, spreadHosts, Optional.empty());
    }
  }

  /** The image of a member. */
  public static String image(KvorumCluster cluster, Defaults defaults) {
    KvorumClusterSpec spec = cluster.getSpec();
    String repository = spec.image().repository().isEmpty() ? defaults.imageRepository() : spec.image().repository();
    return repository + ":" + cluster.acceptedVersion();
  }

  /** The secret that holds a member's certificate on one plane. */
  public static String certificateSecret(TlsSpec.Plane tls, String member, Plane plane) {
    return tls.mode() == TlsSpec.Mode.SECRET ? tls.secretRef() : Names.certificate(member, plane);
  }

  public static Pod pod(KvorumCluster cluster, KvorumMember member, OwnerReference owner, Defaults defaults, Start start) {
    KvorumClusterSpec spec = cluster.getSpec();
    String name = member.getSpec().memberName();
    return new PodBuilder()
        .withNewMetadata()
        .withName(name)
        .withNamespace(cluster.getMetadata().getNamespace())
        .withLabels(labels(cluster, member, start.serving()))
        .withAnnotations(annotations(cluster, member, defaults, start.beginning()))
        .withOwnerReferences(owner)
        .endMetadata()
        .withSpec(
            new PodSpecBuilder()
                .withHostname(name)
                .withSubdomain(Names.peerService(cluster.getMetadata().getName()))
                // Started once only when it forces a new cluster: a second time would throw away members that have joined since.
                .withRestartPolicy(start.beginning().mode() == StartMode.FORCE_NEW_CLUSTER ? "Never" : "Always")
                .withTerminationGracePeriodSeconds(
                    spec.podTemplate().terminationGracePeriodSeconds() == null ? GRACE_SECONDS : spec.podTemplate().terminationGracePeriodSeconds())
                .withAutomountServiceAccountToken(false)
                .withEnableServiceLinks(false)
                .withImagePullSecrets(spec.image().pullSecrets().stream().map(LocalObjectReference::new).toList())
                .withSecurityContext(PodSecurity.pod(spec.podTemplate().securityContext()))
                .withInitContainers(start.restore().map(one -> restore(cluster, member, defaults, start.beginning(), one)).stream().toList())
                .withContainers(container(cluster, defaults))
                .withVolumes(volumes(spec.tls(), name, member.getSpec().volumeClaimName()))
                .addAllToVolumes(start.restore().map(one -> restoreVolumes(cluster, one)).orElse(List.of()))
                .withAffinity(spec.podTemplate().affinity())
                .withNodeSelector(spec.podTemplate().nodeSelector())
                .withTolerations(spec.podTemplate().tolerations())
                .withTopologySpreadConstraints(Spread.constraints(cluster, start.spreadHosts()))
                .withPriorityClassName(spec.podTemplate().priorityClassName().isEmpty() ? null : spec.podTemplate().priorityClassName())
                .build())
        .build();
  }

  /** Labels of a pod; they may change while it runs. */
  public static Map<String, String> labels(KvorumCluster cluster, KvorumMember member, boolean serving) {
    Map<String, String> labels = new LinkedHashMap<>(cluster.getSpec().podTemplate().labels());
    labels.putAll(Names.labels(cluster.getMetadata().getName(), member.getSpec().memberName()));
    labels.put(Names.ROLE, voter(member) ? Names.VOTER : Names.LEARNER);
    labels.put(Names.SERVING, Boolean.toString(serving));
    return labels;
  }

  private static boolean voter(KvorumMember member) {
    KvorumMemberStatus.Role role = member.getStatus() == null ? null : member.getStatus().role();
    return role == KvorumMemberStatus.Role.VOTER || role == KvorumMemberStatus.Role.LEADER;
  }

  private static Map<String, String> annotations(KvorumCluster cluster, KvorumMember member, Defaults defaults, MemberConfig.Beginning beginning) {
    Map<String, String> annotations = new LinkedHashMap<>(cluster.getSpec().podTemplate().annotations());
    annotations.put(Names.TEMPLATE_HASH, TemplateHash.of(cluster, defaults, beginning.mode()));
    annotations.put(Names.VERSION, cluster.acceptedVersion());
    annotations.put(Names.START_MODE, beginning.mode().name());
    annotations.put(Names.START_TOKEN, beginning.clusterToken());
    annotations.put(Names.START_PEERS, String.join(",", beginning.initialPeers()));
    annotations.put(Names.CONFIG_HASH, PodConfig.options(cluster, member.getSpec(), beginning).hash());
    return annotations;
  }

  private static Container container(KvorumCluster cluster, Defaults defaults) {
    KvorumClusterSpec spec = cluster.getSpec();
    return new ContainerBuilder()
        .withName(CONTAINER)
        .withImage(image(cluster, defaults))
        .withImagePullPolicy(pullPolicy(spec))
        .withArgs("--config-file=" + PodConfig.CONFIG_MOUNT + "/" + PodConfig.FILE)
        .withEnv(environment(spec))
        .withPorts(
            new ContainerPortBuilder().withName("client").withContainerPort(PodConfig.CLIENT_PORT).withProtocol("TCP").build(),
            new ContainerPortBuilder().withName("peer").withContainerPort(PodConfig.PEER_PORT).withProtocol("TCP").build(),
            new ContainerPortBuilder().withName("metrics").withContainerPort(PodConfig.METRICS_PORT).withProtocol("TCP").build())
        .withResources(resources(spec.resources()))
        .withSecurityContext(PodSecurity.container())
        // A store that replays a long log is neither dead nor ready.
        .withStartupProbe(probe("/livez", 2, 5, 450))
        .withLivenessProbe(probe("/livez", 10, 5, 6))
        // A learner is ready when it serves; the label of its role keeps it away from clients.
        .withReadinessProbe(probe("/readyz?exclude=non_learner", 2, 3, 2))
        .withVolumeMounts(mounts(spec.tls()))
        .build();
  }

  /** Makes the data directory of a restored cluster's first member; it has what the member has, and the repository to read. */
  private static Container restore(KvorumCluster cluster, KvorumMember member, Defaults defaults, MemberConfig.Beginning beginning, SeedRestore restore) {
    String name = member.getSpec().memberName();
    List<String> arguments = restore.arguments(name, beginning, PodConfig.peerUrl(cluster, name));
    arguments.add("--result-file=" + BackupJob.RESULT_FILE);
    List<EnvVar> environment = new ArrayList<>(environment(cluster.getSpec()));
    environment.addAll(restore.storage().environment());
    List<VolumeMount> mounts = new ArrayList<>(List.of(dataMount(), tmpMount()));
    mounts.addAll(restore.storage().mounts(false));
    if (cluster.getSpec().wantsAuth()) {
      // The users are those of the backup; root's password is this cluster's, or nobody could log in any more.
      arguments.add("--root-password-file=" + BackupJob.PASSWORD_FILE);
      mounts.add(BackupStorage.mount(BackupJob.CREDENTIALS, BackupJob.CREDENTIALS_MOUNT));
    }
    return new ContainerBuilder()
        .withName(RESTORE_CONTAINER)
        .withImage(image(cluster, defaults))
        .withImagePullPolicy(pullPolicy(cluster.getSpec()))
        .withArgs(arguments)
        .withEnv(environment)
        .withResources(resources(cluster.getSpec().resources()))
        .withSecurityContext(PodSecurity.container())
        .withTerminationMessagePath(BackupJob.RESULT_FILE)
        .withTerminationMessagePolicy("FallbackToLogsOnError")
        .withVolumeMounts(mounts)
        .build();
  }

  private static List<Volume> restoreVolumes(KvorumCluster cluster, SeedRestore restore) {
    List<Volume> volumes = new ArrayList<>(restore.storage().volumes());
    if (cluster.getSpec().wantsAuth()) {
      volumes.add(BackupStorage.secretFile(BackupJob.CREDENTIALS, Secrets.rootCredentials(cluster), Secrets.PASSWORD));
    }
    return volumes;
  }

  private static VolumeMount dataMount() {
    return new VolumeMountBuilder().withName("data").withMountPath(PodConfig.DATA_MOUNT).build();
  }

  private static VolumeMount tmpMount() {
    return new VolumeMountBuilder().withName("tmp").withMountPath("/tmp").build();
  }

  /** When the image is pulled, as a container says it. */
  public static String pullPolicy(KvorumClusterSpec spec) {
    return switch (spec.image().pullPolicy()) {
      case ALWAYS -> "Always";
      case IF_NOT_PRESENT -> "IfNotPresent";
      case NEVER -> "Never";
    };
  }

  private static Probe probe(String path, int period, int timeout, int failures) {
    return new ProbeBuilder()
        .withNewHttpGet()
        .withPath(path)
        .withNewPort("metrics")
        .withScheme("HTTP")
        .endHttpGet()
        .withPeriodSeconds(period)
        .withTimeoutSeconds(timeout)
        .withFailureThreshold(failures)
        .build();
  }

  static List<EnvVar> environment(KvorumClusterSpec spec) {
    List<EnvVar> environment = new ArrayList<>();
    if (!spec.jvmOptions().isEmpty()) {
      // The one variable that counts after the options that the image itself gives.
      environment.add(new EnvVarBuilder().withName("_JAVA_OPTIONS").withValue(String.join(" ", spec.jvmOptions())).build());
    }
    environment.addAll(spec.podTemplate().extraEnv());
    return environment;
  }

  static ResourceRequirements resources(ResourceRequirements wanted) {
    return wanted != null
        ? wanted
        : new ResourceRequirementsBuilder().withRequests(Map.of("cpu", new Quantity("100m"), "memory", new Quantity("384Mi"))).build();
  }

  private static List<Volume> volumes(TlsSpec tls, String member, String claim) {
    List<Volume> volumes = new ArrayList<>();
    volumes.add(new VolumeBuilder().withName("data").withNewPersistentVolumeClaim().withClaimName(claim).endPersistentVolumeClaim().build());
    volumes.add(new VolumeBuilder().withName("config").withNewConfigMap().withName(Names.config(member)).endConfigMap().build());
    volumes.add(new VolumeBuilder().withName("tmp").withNewEmptyDir().withSizeLimit(new Quantity(TMP_LIMIT)).endEmptyDir().build());
    for (Plane plane : planes(tls)) {
      String secret = certificateSecret(of(tls, plane), member, plane);
      volumes.add(new VolumeBuilder().withName("tls-" + plane.text()).withNewSecret().withSecretName(secret).withDefaultMode(SECRET_MODE).endSecret().build());
    }
    return volumes;
  }

  private static List<VolumeMount> mounts(TlsSpec tls) {
    List<VolumeMount> mounts = new ArrayList<>();
    mounts.add(dataMount());
    mounts.add(new VolumeMountBuilder().withName("config").withMountPath(PodConfig.CONFIG_MOUNT).withReadOnly(true).build());
    mounts.add(tmpMount());
    for (Plane plane : planes(tls)) {
      String path = PodConfig.TLS_MOUNT + "/" + plane.text();
      mounts.add(new VolumeMountBuilder().withName("tls-" + plane.text()).withMountPath(path).withReadOnly(true).build());
    }
    return mounts;
  }

  /** A pod that prints what is in a member's data directory, as one line of JSON, and ends. */
  public static Pod inspection(KvorumCluster cluster, KvorumMember member, OwnerReference owner, Defaults defaults) {
    KvorumClusterSpec spec = cluster.getSpec();
    String name = member.getSpec().memberName();
    Container container =
        new ContainerBuilder(container(cluster, defaults))
            .withArgs("inspect", PodConfig.DATA_DIRECTORY, "--json")
            .withStartupProbe(null)
            .withLivenessProbe(null)
            .withReadinessProbe(null)
            .withPorts()
            .withVolumeMounts(dataMount(), tmpMount())
            .build();
    return new PodBuilder()
        .withNewMetadata()
        .withName(Names.inspection(name))
        .withNamespace(cluster.getMetadata().getNamespace())
        .withLabels(Map.of(Names.INSPECTION, cluster.getMetadata().getName(), Names.MEMBER, name))
        .withOwnerReferences(owner)
        .endMetadata()
        .withSpec(
            new PodSpecBuilder()
                .withRestartPolicy("Never")
                .withAutomountServiceAccountToken(false)
                .withEnableServiceLinks(false)
                .withImagePullSecrets(spec.image().pullSecrets().stream().map(LocalObjectReference::new).toList())
                .withSecurityContext(PodSecurity.pod(spec.podTemplate().securityContext()))
                .withContainers(container)
                .withVolumes(
                    volumes(spec.tls(), name, member.getSpec().volumeClaimName()).stream().filter(volume -> List.of("data", "tmp").contains(volume.getName())).toList())
                .withTolerations(spec.podTemplate().tolerations())
                .build())
        .build();
  }

  /** The planes that are encrypted. */
  public static List<Plane> planes(TlsSpec tls) {
    List<Plane> planes = new ArrayList<>();
    for (Plane plane : Plane.values()) {
      if (of(tls, plane).on()) {
        planes.add(plane);
      }
    }
    return planes;
  }

  /** The specification of one plane. */
  public static TlsSpec.Plane of(TlsSpec tls, Plane plane) {
    return switch (plane) {
      case CLIENT -> tls.client();
      case PEER -> tls.peer();
    };
  }
}
