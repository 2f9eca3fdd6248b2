package io.kvorum.operator.desired;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.PodSpecBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.TlsSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Jobs of backups: each runs one command of the store's image once, to its end or to its deadline, and leaves the command's result as its termination message.
 * Kubernetes never repeats it; what is tried again is decided by the plan.
 */
public final class BackupJob {
  /** Name of the container. */
  public static final String CONTAINER = "kvorum";

  /** What a Job does; the name is the value of its label. */
  public enum Kind {
    BACKUP,
    VERIFY,
    DELETE;

    public String text() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Where the command writes its result, and where Kubernetes takes it from. */
  static final String RESULT_FILE = "/dev/termination-log";

  private static final String CLIENT_MOUNT = "/etc/kvorum/client";

  /** Volume with root's password. */
  static final String CREDENTIALS = "credentials";

  static final String CREDENTIALS_MOUNT = "/etc/kvorum/credentials";
  static final String PASSWORD_FILE = CREDENTIALS_MOUNT + "/" + Secrets.PASSWORD;
  private static final String SCRATCH_MOUNT = "/scratch";
  private static final String TMP_LIMIT = "64Mi";

  /** A backup holds one segment of the store at a time, and chunks of its log. */
  private static final String SEGMENT_ROOM = "512Mi";

  /** A finished Job goes by itself after this, should nobody have read and deleted it. */
  private static final int FORGOTTEN_SECONDS = 86_400;

  private BackupJob() {}

  /**
   * What every Job has.
   *
   * @param name of the Job, the same whenever the same run is asked for
   * @param backup name of the KvorumBackup
   * @param id of the backup in its repository
   * @param deadline after which Kubernetes ends it
   * @param owner the KvorumBackup
   */
  public record Run(String name, String backup, String id, BackupStorage storage, Duration deadline, OwnerReference owner) {}

  /**
   * Takes a backup from one member.
   *
   * @param source name of the member
   * @param bytesPerSecond that it reads at most; 0 for as fast as it can
   */
  public static Job backup(KvorumCluster cluster, Defaults defaults, Run run, String source, KvorumBackupSpec.Type type, long bytesPerSecond) {
    List<String> arguments = new ArrayList<>(List.of("backup", "--endpoints=" + PodConfig.clientUrl(cluster, source)));
    List<Volume> volumes = new ArrayList<>();
    List<VolumeMount> mounts = new ArrayList<>();
    access(cluster, arguments, volumes, mounts);
    arguments.add("--type=" + type.name().toLowerCase(Locale.ROOT));
    arguments.add("--scratch=" + SCRATCH_MOUNT);
    volumes.add(scratch(new Quantity(SEGMENT_ROOM)));
    mounts.add(scratchMount());
    if (bytesPerSecond > 0) {
      arguments.add("--throttle=" + bytesPerSecond);
    }
    return job(cluster, defaults, run, new Work(Kind.BACKUP, arguments, volumes, mounts, true, null));
  }

  /** Restores a backup into a scratch folder and compares. What is fetched is there twice until it is taken over: twice the room of a member. */
  public static Job verify(KvorumCluster cluster, Defaults defaults, Run run) {
    Quantity room = new Quantity(Long.toString(2 * cluster.getSpec().storage().bytes()));
    // It opens what a member opens: it gets what a member gets.
    ResourceRequirements resources = MemberPod.resources(cluster.getSpec().resources());
    return job(
        cluster, defaults, run, new Work(Kind.VERIFY, List.of("verify", "--scratch=" + SCRATCH_MOUNT), List.of(scratch(room)), List.of(scratchMount()), false, resources));
  }

  private static Volume scratch(Quantity room) {
    return new VolumeBuilder().withName("scratch").withNewEmptyDir().withSizeLimit(room).endEmptyDir().build();
  }

  private static VolumeMount scratchMount() {
    return new VolumeMountBuilder().withName("scratch").withMountPath(SCRATCH_MOUNT).build();
  }

  /** Deletes a backup and what only it needed. */
  public static Job delete(KvorumCluster cluster, Defaults defaults, Run run) {
    return job(cluster, defaults, run, new Work(Kind.DELETE, List.of("backup", "delete"), List.of(), List.of(), true, null));
  }

  /** The operator's own certificate and root's password, as files: a backup is for root. */
  private static void access(KvorumCluster cluster, List<String> arguments, List<Volume> volumes, List<VolumeMount> mounts) {
    TlsSpec.Plane client = cluster.getSpec().tls().client();
    if (client.on()) {
      String secret = client.mode() == TlsSpec.Mode.SECRET ? client.secretRef() : Names.operatorCertificate(cluster.getMetadata().getName());
      volumes.add(
          new VolumeBuilder().withName("client").withNewSecret().withSecretName(secret).withDefaultMode(MemberPod.SECRET_MODE).endSecret().build());
      mounts.add(BackupStorage.mount("client", CLIENT_MOUNT));
      arguments.add("--cacert=" + CLIENT_MOUNT + "/" + Secrets.AUTHORITY);
      arguments.add("--cert=" + CLIENT_MOUNT + "/" + Secrets.CERTIFICATE);
      arguments.add("--key=" + CLIENT_MOUNT + "/" + Secrets.KEY);
    }
    if (cluster.getSpec().wantsAuth()) {
      volumes.add(BackupStorage.secretFile(CREDENTIALS, Secrets.rootCredentials(cluster), Secrets.PASSWORD));
      mounts.add(BackupStorage.mount(CREDENTIALS, CREDENTIALS_MOUNT));
      arguments.add("--user=root");
      arguments.add("--password-file=" + PASSWORD_FILE);
    }
  }

  /** @param resources null for those of a command that only copies */
  private record Work(
      Kind kind, List<String> arguments, List<Volume> volumes, List<VolumeMount> mounts, boolean writes, ResourceRequirements resources) {}

  private static Job job(KvorumCluster cluster, Defaults defaults, Run run, Work work) {
    Map<String, String> labels = labels(cluster, run, work.kind());
    List<String> arguments = new ArrayList<>(work.arguments());
    arguments.addAll(run.storage().arguments());
    arguments.add("--id=" + run.id());
    arguments.add("--result-file=" + RESULT_FILE);
    List<Volume> volumes = new ArrayList<>(work.volumes());
    volumes.add(new VolumeBuilder().withName("tmp").withNewEmptyDir().withSizeLimit(new Quantity(TMP_LIMIT)).endEmptyDir().build());
    volumes.addAll(run.storage().volumes());
    List<VolumeMount> mounts = new ArrayList<>(work.mounts());
    mounts.add(new VolumeMountBuilder().withName("tmp").withMountPath("/tmp").build());
    mounts.addAll(run.storage().mounts(work.writes()));
    return new JobBuilder()
        .withNewMetadata()
        .withName(run.name())
        .withNamespace(cluster.getMetadata().getNamespace())
        .withLabels(labels)
        .withOwnerReferences(run.owner())
        .endMetadata()
        .withNewSpec()
        .withBackoffLimit(0)
        .withActiveDeadlineSeconds(run.deadline().toSeconds())
        .withTtlSecondsAfterFinished(FORGOTTEN_SECONDS)
        .withNewTemplate()
        .withNewMetadata()
        .withLabels(labels)
        .endMetadata()
        .withSpec(
            new PodSpecBuilder()
                .withRestartPolicy("Never")
                .withAutomountServiceAccountToken(false)
                .withEnableServiceLinks(false)
                .withImagePullSecrets(cluster.getSpec().image().pullSecrets().stream().map(LocalObjectReference::new).toList())
                .withSecurityContext(PodSecurity.pod(cluster.getSpec().podTemplate().securityContext()))
                .withContainers(container(cluster, defaults, run, work, arguments, mounts))
                .withVolumes(volumes)
                .withTolerations(cluster.getSpec().podTemplate().tolerations())
                .build())
        .endTemplate()
        .endSpec()
        .build();
  }

  private static Container container(
      KvorumCluster cluster, Defaults defaults, Run run, Work work, List<String> arguments, List<VolumeMount> mounts) {
    // Options of the runtime are made for the memory of a member.
    List<EnvVar> environment = new ArrayList<>(work.resources() == null ? cluster.getSpec().podTemplate().extraEnv() : MemberPod.environment(cluster.getSpec()));
    environment.addAll(run.storage().environment());
    return new ContainerBuilder()
        .withName(CONTAINER)
        .withImage(MemberPod.image(cluster, defaults))
        .withImagePullPolicy(MemberPod.pullPolicy(cluster.getSpec()))
        .withArgs(arguments)
        .withEnv(environment)
        .withResources(work.resources() == null ? copying() : work.resources())
        .withSecurityContext(PodSecurity.container())
        .withTerminationMessagePath(RESULT_FILE)
        // What ended it before it could write a result is in its last lines.
        .withTerminationMessagePolicy("FallbackToLogsOnError")
        .withVolumeMounts(mounts)
        .build();
  }

  private static ResourceRequirements copying() {
    return new ResourceRequirementsBuilder()
        .withRequests(Map.of("cpu", new Quantity("100m"), "memory", new Quantity("256Mi")))
        .withLimits(Map.of("memory", new Quantity("768Mi")))
        .build();
  }

  /** Labels that find the Jobs of a backup. */
  public static Map<String, String> selector(String backup) {
    return Map.of(Names.BACKUP, Names.label(backup));
  }

  /** They have no label of a member's pod: no Service and no budget may find them. */
  private static Map<String, String> labels(KvorumCluster cluster, Run run, Kind kind) {
    Map<String, String> labels = new LinkedHashMap<>();
    labels.put("app.kubernetes.io/instance", cluster.getMetadata().getName());
    labels.put("app.kubernetes.io/managed-by", Names.FIELD_MANAGER);
    labels.put("app.kubernetes.io/name", "kvorum-backup");
    labels.put(Names.BACKUP, Names.label(run.backup()));
    labels.put(Names.BACKUP_JOB, kind.text());
    return labels;
  }
}
