package io.kvorum.operator.runtime.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import org.junit.jupiter.api.Test;

/** The rules of the kinds of backups, both ways, on the API server. */
class BackupKindsIT extends ApiServerFixture {
  private static final String BACKUP = "KvorumBackup";
  private static final String SCHEDULE = "KvorumBackupSchedule";
  private static final String DAILY = "clusterRef: c, schedule: '0 3 * * *', ";
  private int serial;

  private GenericKubernetesResource object(String kind, String name, String spec) {
    return Serialization.unmarshal(
        "apiVersion: kvorum.io/v1alpha1\nkind: " + kind + "\nmetadata: {name: " + name + ", namespace: " + namespace + "}\nspec: {" + spec + "}\n",
        GenericKubernetesResource.class);
  }

  private void passes(String kind, String name, String spec) {
    assertThat(client.resource(object(kind, name, spec)).serverSideApply().getMetadata().getUid()).isNotEmpty();
  }

  private void refused(String kind, String name, String spec, String message) {
    assertThatThrownBy(() -> client.resource(object(kind, name, spec)).serverSideApply())
        .isInstanceOf(KubernetesClientException.class).hasMessageContaining(message);
  }

  private String fresh() {
    return "o" + serial++;
  }

  @Test
  void aBackupCannotBeChanged() {
    passes(BACKUP, "b", "clusterRef: c, type: Delta");
    passes(BACKUP, "b", "clusterRef: c, type: Delta");
    refused(BACKUP, "b", "clusterRef: c, type: Full", "a backup cannot be changed");
    refused(BACKUP, "b", "clusterRef: c, type: Delta, verify: true", "a backup cannot be changed");
  }

  @Test
  void namesFitWhatIsMadeOfThem() {
    passes(BACKUP, "n".repeat(63), "clusterRef: c");
    refused(BACKUP, "n".repeat(64), "clusterRef: c", "the name has at most 63 characters");
    passes(SCHEDULE, "n".repeat(52), DAILY + "retention: {keepLast: 1}");
    refused(SCHEDULE, "n".repeat(53), DAILY + "retention: {keepLast: 1}", "the name has at most 52 characters");
  }

  @Test
  void aDestinationIsOneAndAKeyGoesWithIt() {
    passes(BACKUP, fresh(), "clusterRef: c, encryptionKeySecretRef: k, destination: {pvc: {claimName: v}}");
    refused(BACKUP, fresh(), "clusterRef: c, encryptionKeySecretRef: k", "encryptionKeySecretRef goes with a destination");
    refused(BACKUP, fresh(), "clusterRef: c, destination: {s3: {bucket: b}, gcs: {bucket: b}}", "exactly one of s3, gcs and pvc");
    refused(BACKUP, fresh(), "clusterRef: c, destination: {}", "exactly one of s3, gcs and pvc");
    passes(SCHEDULE, fresh(), DAILY + "retention: {keepLast: 1}, template: {encryptionKeySecretRef: k, destination: {gcs: {bucket: b}}}");
    refused(SCHEDULE, fresh(), DAILY + "retention: {keepLast: 1}, template: {encryptionKeySecretRef: k}", "encryptionKeySecretRef goes with a destination");
  }

  @Test
  void aScheduleKeepsItsClusterAndKeepsSomething() {
    passes(SCHEDULE, "s", DAILY + "retention: {keepLast: 1}");
    passes(SCHEDULE, "s", DAILY + "retention: {keepFor: 720h}, suspend: true, verify: {every: 3}");
    refused(SCHEDULE, "s", DAILY.replace("clusterRef: c", "clusterRef: d") + "retention: {keepLast: 1}", "clusterRef cannot be changed");
    refused(SCHEDULE, fresh(), DAILY + "retention: {}", "retention needs keepLast or keepFor");
    refused(SCHEDULE, fresh(), DAILY + "retention: {keepLast: 0}", "keepLast");
    refused(SCHEDULE, fresh(), DAILY + "retention: {keepFor: soon}", "keepFor");
    refused(SCHEDULE, fresh(), DAILY + "suspend: true", "retention");
  }

  @Test
  void aSourceGoesWithALocation() {
    String cluster = "version: 0.1.0, storage: {size: 1Gi}, bootstrap: {recovery: {";
    passes("KvorumCluster", "r1", cluster + "location: 's3://b/p', source: {s3: {bucket: b, endpoint: 'https://e'}}}}");
    passes("KvorumCluster", "r2", cluster + "location: 'pvc://claim', target: {time: '2026-01-02T03:04:05Z'}}}");
    refused("KvorumCluster", "r3", cluster + "backupRef: b, source: {pvc: {claimName: c}}}}", "source goes with a location");
    refused("KvorumCluster", "r4", cluster + "location: 'ftp://b'}}", "location");
    refused("KvorumCluster", "r5", cluster + "backupRef: b, target: {time: yesterday}}}", "time");
  }
}
