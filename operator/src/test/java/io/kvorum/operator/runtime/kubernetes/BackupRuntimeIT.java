package io.kvorum.operator.runtime.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.BackupSpec;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.backup.BackupAction;
import io.kvorum.operator.backup.BackupObservation;
import io.kvorum.operator.backup.JobResult;
import io.kvorum.operator.backup.JobState;
import io.kvorum.operator.desired.BackupJob;
import io.kvorum.operator.desired.BackupStorage;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.desired.Names;
import java.net.HttpURLConnection;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Backups on a real API server whose Job controller runs, without nodes: the test plays the kubelet. */
class BackupRuntimeIT extends ApiServerFixture {
  private static final String BACKUP = "nightly";
  private static final String S3 =
      "destination: {s3: {bucket: b, endpoint: 'https://s3', pathStyle: true, caSecretRef: ca, credentialsSecretRef: key}}\nencryptionKeySecretRef: backup-key\n";

  private BackupRuntime backups;

  @BeforeEach
  void backup() {
    backups =
        new BackupRuntime(
            new KubernetesRuntime.Installation(
                client, new FreshCaches(client), new Defaults("kvorum/kvorum", "cluster.local"), Clock.systemUTC(), new SecureRandom(), "it"),
            new FreshBackups());
    KvorumBackup made = new KvorumBackup();
    made.setMetadata(new ObjectMetaBuilder().withName(BACKUP).withNamespace(namespace).withFinalizers(Api.FINALIZER).build());
    made.setSpec(new KvorumBackupSpec("kv", null, null, null, null, KvorumBackupSpec.DeletionPolicy.DELETE));
    client.resource(made).create();
  }

  private KvorumBackup read() {
    return client.resources(KvorumBackup.class).inNamespace(namespace).withName(BACKUP).get();
  }

  private static final class FreshBackups implements BackupCaches {
    @Override
    public List<KvorumBackup> backups(String namespace) {
      return client.resources(KvorumBackup.class).inNamespace(namespace).list().getItems();
    }

    @Override
    public List<KvorumBackupSchedule> schedules(String namespace) {
      return client.resources(KvorumBackupSchedule.class).inNamespace(namespace).list().getItems();
    }

    @Override
    public List<Job> jobs(KvorumBackup backup) {
      return List.of();
    }
  }

  private BackupAction.CreateJob job(BackupJob.Kind kind) {
    BackupStorage storage = BackupStorage.of(Serialization.unmarshal(S3, BackupSpec.class)).orElseThrow();
    return new BackupAction.CreateJob(Names.backupJob(BACKUP, kind, 1), kind, "nightly-id", storage, KvorumBackupSpec.Type.FULL, MEMBER, 0, Duration.ofHours(1));
  }

  private Pod podOf(String job) {
    return client.pods().inNamespace(namespace).withLabel("batch.kubernetes.io/job-name", job).list().getItems().stream().findFirst().orElse(null);
  }

  private JobState state() {
    return backups.observe(read()).jobs().stream().findFirst().orElse(null);
  }

  @Test
  void aJobIsMadeOnceIsAdmittedWhereOnlyRestrictedPodsAreAndItsResultIsRead() {
    BackupAction.CreateJob create = job(BackupJob.Kind.BACKUP);
    backups.execute(create, backups.observe(read()));
    backups.execute(create, backups.observe(read()));

    Job made = client.batch().v1().jobs().inNamespace(namespace).withName(create.name()).get();
    assertThat(made.getMetadata().getOwnerReferences()).singleElement().satisfies(owner -> assertThat(owner.getUid()).isEqualTo(read().getMetadata().getUid()));
    await(() -> podOf(create.name()) != null);
    assertThat(state().phase()).isEqualTo(JobState.Phase.WAITING);

    ended(create.name(), "{\"ok\":true,\"command\":\"backup\",\"id\":\"nightly-id\",\"toRevision\":7}");
    await(() -> state().phase() == JobState.Phase.SUCCEEDED);
    assertThat(state().result().map(JobResult::toRevision)).contains(7L);
  }

  /** What a kubelet reports of a container that has ended well. */
  private void ended(String job, String message) {
    String status =
        Serialization.asJson(
            Map.of(
                "status",
                Map.of(
                    "phase", "Succeeded", "containerStatuses",
                    List.of(
                        Map.of(
                            "name", "kvorum", "image", "i", "imageID", "i", "ready", false, "restartCount", 0, "state",
                            Map.of("terminated", Map.of("exitCode", 0, "message", message)))))));
    client.pods().resource(podOf(job)).subresource("status").patch(
        PatchContext.of(PatchType.STRATEGIC_MERGE), status);
  }

  @Test
  void verificationAndDeletionAreAdmittedToo() {
    for (BackupJob.Kind kind : List.of(BackupJob.Kind.VERIFY, BackupJob.Kind.DELETE)) {
      backups.execute(job(kind), backups.observe(read()));
      await(() -> podOf(job(kind).name()) != null);
    }
  }

  @Test
  void aDeletedJobTakesItsPodsAlong() {
    BackupAction.CreateJob create = job(BackupJob.Kind.VERIFY);
    backups.execute(create, backups.observe(read()));
    await(() -> podOf(create.name()) != null);

    backups.execute(new BackupAction.DeleteJob(create.name()), backups.observe(read()));
    backups.execute(new BackupAction.DeleteJob(create.name()), backups.observe(read()));

    await(() -> backups.observe(read()).jobs().isEmpty());
    await(() -> podOf(create.name()) == null);
  }

  @Test
  void aStatusIsWrittenWhenItDiffersAndNeverOverASomebodyElses() {
    KvorumBackup before = read();
    KvorumBackupStatus running = Serialization.unmarshal("phase: Running\nsource: kv-0\n", KvorumBackupStatus.class);
    backups.write(before, running);
    String version = read().getMetadata().getResourceVersion();
    backups.write(read(), running);
    assertThat(read().getMetadata().getResourceVersion()).isEqualTo(version);
    assertThat(read().known().source()).isEqualTo("kv-0");

    KvorumBackupStatus failed = Serialization.unmarshal("phase: Failed\n", KvorumBackupStatus.class);
    assertThatThrownBy(() -> backups.write(before, failed))
        .isInstanceOfSatisfying(KubernetesClientException.class, e -> assertThat(e.getCode()).isEqualTo(HttpURLConnection.HTTP_CONFLICT));
  }

  @Test
  void aNamespaceThatEndsIsSeen() {
    client.resource(read()).delete();
    assertThat(backups.observe(read()).namespaceEnds()).isFalse();
    client.namespaces().withName(namespace).delete();

    BackupObservation seen = backups.observe(read());
    assertThat(seen.namespaceEnds()).isTrue();
    new Writes(client).release(read(), Api.FINALIZER);
  }

  @Test
  void withoutItsClusterABackupIsRunWithTheVersionThatTookIt() {
    client.resource(runtime.surroundings().cluster()).delete();
    assertThat(backups.canRun(backups.observe(read()))).as("nothing was taken").isFalse();
    backups.write(read(), Serialization.unmarshal("phase: Completed\nartefact: {id: i, version: 0.7.0, sizeBytes: 100}\n", KvorumBackupStatus.class));

    backups.execute(job(BackupJob.Kind.DELETE), backups.observe(read()));

    Job made = client.batch().v1().jobs().inNamespace(namespace).withName(job(BackupJob.Kind.DELETE).name()).get();
    assertThat(made.getSpec().getTemplate().getSpec().getContainers().getFirst().getImage()).isEqualTo("kvorum/kvorum:0.7.0");
  }
}
