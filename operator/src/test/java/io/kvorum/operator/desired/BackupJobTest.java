package io.kvorum.operator.desired;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.BackupSpec;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.plan.Action.StartMode;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class BackupJobTest {
  private static final String S3 =
      """
      destination:
        s3: {bucket: safe, prefix: /kvorum/shop/, endpoint: "https://s3.shop:9000", region: eu-1, pathStyle: true, caSecretRef: s3-ca, credentialsSecretRef: s3-key}
      encryptionKeySecretRef: backup-key
      """;
  private static final String GCS = "destination: {gcs: {bucket: safe, prefix: a/b, credentialsSecretRef: gcs-key}}";
  private static final String PVC = "destination: {pvc: {claimName: backups, path: shop/kv}}";
  private static final String SECURED =
      """
        auth: {enabled: true}
        image: {repository: store/kvorum, pullPolicy: Never, pullSecrets: [pull]}
        resources: {requests: {cpu: "1", memory: 2Gi}, limits: {memory: 2Gi}}
        jvmOptions: ["-XX:MaxRAMPercentage=40"]
        podTemplate:
          tolerations: [{key: dedicated, operator: Equal, value: kvorum, effect: NoSchedule}]
          securityContext: {runAsUser: 1000, fsGroup: 1000}
      """;

  private static BackupStorage storage(String spec) {
    return BackupStorage.of(Serialization.unmarshal(spec, BackupSpec.class)).orElseThrow();
  }

  private static BackupJob.Run run(BackupJob.Kind kind, BackupStorage storage) {
    OwnerReference owner =
        new OwnerReferenceBuilder().withApiVersion("kvorum.io/v1alpha1").withKind("KvorumBackup").withName("nightly-1").withUid("77").withController(true).build();
    return new BackupJob.Run(Names.backupJob("nightly-1", kind, 1), "nightly-1", "nightly-1-77", storage, Duration.ofHours(2), owner);
  }

  private static Job backup(KvorumCluster cluster, BackupStorage storage, KvorumBackupSpec.Type type, long rate) {
    return BackupJob.backup(cluster, Examples.DEFAULTS, run(BackupJob.Kind.BACKUP, storage), "kv-4", type, rate);
  }

  @Test
  void aFullBackupToABucketAsRoot() {
    Golden.matches("job-backup", backup(Examples.cluster(SECURED), storage(S3), KvorumBackupSpec.Type.FULL, 10_000_000));
  }

  @Test
  void aDeltaToAClaimInTheClear() {
    KvorumCluster cluster = Examples.cluster("  tls: {client: {mode: Disabled}, peer: {mode: Disabled}}\n");
    Golden.matches("job-backup-plain", backup(cluster, storage(PVC), KvorumBackupSpec.Type.DELTA, 0));
  }

  @Test
  void theCertificateAndThePasswordThatWereGivenAreUsed() {
    KvorumCluster cluster =
        Examples.cluster("  auth: {enabled: true, rootCredentialsSecretRef: mine}\n  tls: {client: {mode: Secret, secretRef: given}, peer: {mode: Managed}}\n");
    Job job = backup(cluster, storage(PVC), KvorumBackupSpec.Type.FULL, 0);

    assertThat(job.getSpec().getTemplate().getSpec().getVolumes().stream().filter(volume -> volume.getSecret() != null).map(volume -> volume.getSecret().getSecretName()))
        .containsExactlyInAnyOrder("given", "mine");
  }

  @Test
  void aVerificationHasTheRoomAndTheMemoryOfAMember() {
    Golden.matches("job-verify", BackupJob.verify(Examples.cluster(SECURED), Examples.DEFAULTS, run(BackupJob.Kind.VERIFY, storage(S3))));
  }

  @Test
  void aVerificationCannotChangeTheClaimNorReachTheCluster() {
    Container container = container(BackupJob.verify(Examples.cluster(SECURED), Examples.DEFAULTS, run(BackupJob.Kind.VERIFY, storage(PVC))));

    assertThat(container.getVolumeMounts()).filteredOn(mount -> mount.getMountPath().equals("/backup")).singleElement().extracting(VolumeMount::getReadOnly)
        .isEqualTo(true);
    assertThat(container.getVolumeMounts()).extracting(VolumeMount::getName).doesNotContain("client", "credentials");
  }

  @Test
  void aDeletion() {
    Golden.matches("job-delete", BackupJob.delete(Examples.cluster(SECURED), Examples.DEFAULTS, run(BackupJob.Kind.DELETE, storage(GCS))));
  }

  @Test
  void noSecretIsInAnArgumentNorInAVariable() {
    for (String destination : List.of(S3, GCS, PVC)) {
      Container container = container(backup(Examples.cluster(SECURED), storage(destination), KvorumBackupSpec.Type.FULL, 0));
      assertThat(container.getEnv().stream().filter(variable -> variable.getName().startsWith("AWS_")).map(EnvVar::getValue).collect(Collectors.toSet()))
          .as("a reference and no value")
          .allMatch(value -> value == null);
    }
  }

  @Test
  void theFirstMemberOfARestoredCluster() {
    MemberConfig.Beginning beginning = new MemberConfig.Beginning(StartMode.EXISTING, "token-2", List.of("kv-4=https://kv-4.kv-peer.shop.svc:2380"));
    SeedRestore restore = new SeedRestore(storage(S3), "nightly-1-77", Optional.of(1234L), Optional.empty(), 1_000_000_000L, true);
    KvorumCluster cluster = Examples.cluster(SECURED);

    Golden.matches(
        "pod-restored",
        MemberPod.pod(
            cluster, Examples.member("Learner"), Examples.owner(), Examples.DEFAULTS, new MemberPod.Start(beginning, true, false, Optional.of(restore))));
  }

  @Test
  void theNewestBackupUpToAMoment() {
    MemberConfig.Beginning beginning = new MemberConfig.Beginning(StartMode.EXISTING, "t", List.of("kv-4=https://kv-4:2380"));
    SeedRestore restore = new SeedRestore(storage(PVC), "", Optional.empty(), Optional.of("2026-01-02T03:04:05Z"), 0, false);

    assertThat(restore.arguments("kv-4", beginning, "https://kv-4:2380"))
        .containsExactly(
            "restore", "--destination=/backup/shop/kv", "--latest", "--time=2026-01-02T03:04:05Z", "--data-dir=/var/lib/kvorum/data", "--revision-bump=0",
            "--mark-compacted=false", "--name=kv-4", "--initial-cluster=kv-4=https://kv-4:2380", "--initial-cluster-token=t",
            "--initial-advertise-peer-urls=https://kv-4:2380");
  }

  @Test
  void namesOfJobsFitAndDiffer() {
    String one = "a".repeat(63);
    String other = "a".repeat(62) + "b";

    assertThat(Names.backupJob(one, BackupJob.Kind.VERIFY, 12)).hasSizeLessThanOrEqualTo(63).endsWith("-verify-12");
    assertThat(Names.backupJob(one, BackupJob.Kind.VERIFY, 12)).isNotEqualTo(Names.backupJob(other, BackupJob.Kind.VERIFY, 12));
    assertThat(Names.backupJob("nightly", BackupJob.Kind.BACKUP, 1)).isEqualTo("nightly-backup-1");
  }

  @Test
  void aFolderOfAClaimIsNamedWithoutItsSlashes() {
    assertThat(storage("destination: {pvc: {claimName: backups, path: /shop/kv/}}").location()).isEqualTo("/backup/shop/kv");
    assertThat(storage("destination: {pvc: {claimName: backups}}").location()).isEqualTo("/backup");
    assertThat(storage("destination: {s3: {bucket: b}}").location()).isEqualTo("s3://b");
    assertThat(BackupStorage.of(null)).isEmpty();
  }

  private static Container container(Job job) {
    assertThat(job.getSpec().getTemplate().getSpec().getVolumes()).extracting(Volume::getName).doesNotHaveDuplicates();
    return job.getSpec().getTemplate().getSpec().getContainers().getFirst();
  }
}
