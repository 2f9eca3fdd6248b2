package io.kvorum.operator.desired;

import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.KeyToPathBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.kvorum.operator.api.BackupSpec;
import io.kvorum.operator.api.BackupSpec.Destination;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a pod reaches a repository of backups: options of the command, variables of its container, volumes. Credentials of a bucket come from a Secret as variables,
 * so that they are neither in the Job nor in the list of processes; the encryption key comes as a file.
 *
 * @param destination exactly one of s3, gcs and pvc
 * @param encryptionKeySecretRef Secret whose key {@code key} holds the encryption key; empty for a repository that is not encrypted
 */
public record BackupStorage(Destination destination, String encryptionKeySecretRef) {
  /** Where a claim with backups is mounted. */
  static final String CLAIM_MOUNT = "/backup";

  private static final String KEY_MOUNT = "/etc/kvorum/backup-key";
  private static final String KEY = "key";
  private static final String CA_MOUNT = "/etc/kvorum/backup-ca";

  /** What a cluster's backups go to; empty when it names no destination. */
  public static Optional<BackupStorage> of(BackupSpec backup) {
    return Optional.ofNullable(backup).filter(one -> one.destination() != null).map(one -> new BackupStorage(one.destination(), one.encryptionKeySecretRef()));
  }

  /** The repository's name as the commands take it: s3://bucket/prefix, gs://bucket/prefix, or a folder. */
  public String location() {
    if (destination.s3() != null) {
      return bucket("s3", destination.s3().bucket(), destination.s3().prefix());
    }
    if (destination.gcs() != null) {
      return bucket("gs", destination.gcs().bucket(), destination.gcs().prefix());
    }
    String path = trimmed(destination.pvc().path());
    return path.isEmpty() ? CLAIM_MOUNT : CLAIM_MOUNT + "/" + path;
  }

  private static String bucket(String scheme, String bucket, String prefix) {
    String path = trimmed(prefix);
    return scheme + "://" + bucket + (path.isEmpty() ? "" : "/" + path);
  }

  private static String trimmed(String path) {
    return path.replaceAll("^/+|/+$", "");
  }

  /** The options that name it. */
  List<String> arguments() {
    List<String> arguments = new ArrayList<>();
    arguments.add("--destination=" + location());
    BackupSpec.S3 s3 = destination.s3();
    if (s3 != null) {
      given(arguments, "--s3-endpoint=", s3.endpoint());
      given(arguments, "--s3-region=", s3.region());
      if (s3.pathStyle()) {
        arguments.add("--s3-path-style");
      }
      if (named(s3.caSecretRef())) {
        arguments.add("--s3-ca-file=" + CA_MOUNT + "/" + Secrets.AUTHORITY);
      }
    }
    if (named(encryptionKeySecretRef)) {
      arguments.add("--encryption-key-file=" + KEY_MOUNT + "/" + KEY);
    }
    return arguments;
  }

  private static void given(List<String> arguments, String option, String value) {
    if (named(value)) {
      arguments.add(option + value);
    }
  }

  private static boolean named(String text) {
    return !text.isEmpty();
  }

  private Optional<String> credentials() {
    if (destination.s3() != null) {
      return Optional.of(destination.s3().credentialsSecretRef()).filter(BackupStorage::named);
    }
    return Optional.ofNullable(destination.gcs()).map(BackupSpec.Gcs::credentialsSecretRef).filter(BackupStorage::named);
  }

  /** The credentials of a bucket. */
  List<EnvVar> environment() {
    return credentials()
        .map(secret -> List.of(
            variable("AWS_ACCESS_KEY_ID", secret, null), variable("AWS_SECRET_ACCESS_KEY", secret, null), variable("AWS_SESSION_TOKEN", secret, true)))
        .orElse(List.of());
  }

  private static EnvVar variable(String name, String secret, Boolean optional) {
    return new EnvVarBuilder()
        .withName(name)
        .withNewValueFrom()
        .withNewSecretKeyRef()
        .withName(secret)
        .withKey(name)
        .withOptional(optional)
        .endSecretKeyRef()
        .endValueFrom()
        .build();
  }

  List<Volume> volumes() {
    List<Volume> volumes = new ArrayList<>();
    if (destination.pvc() != null) {
      volumes.add(
          new VolumeBuilder().withName("backup").withNewPersistentVolumeClaim().withClaimName(destination.pvc().claimName()).endPersistentVolumeClaim().build());
    }
    if (destination.s3() != null && named(destination.s3().caSecretRef())) {
      volumes.add(secretFile("backup-ca", destination.s3().caSecretRef(), Secrets.AUTHORITY));
    }
    if (named(encryptionKeySecretRef)) {
      volumes.add(secretFile("backup-key", encryptionKeySecretRef, KEY));
    }
    return volumes;
  }

  /** A volume with one file of a secret: what else is in it stays out of the pod. */
  static Volume secretFile(String volume, String secret, String key) {
    return new VolumeBuilder()
        .withName(volume)
        .withNewSecret()
        .withSecretName(secret)
        .withDefaultMode(MemberPod.SECRET_MODE)
        .withItems(new KeyToPathBuilder().withKey(key).withPath(key).build())
        .endSecret()
        .build();
  }

  /** @param writes the command changes the repository */
  List<VolumeMount> mounts(boolean writes) {
    List<VolumeMount> mounts = new ArrayList<>();
    if (destination.pvc() != null) {
      mounts.add(new VolumeMountBuilder().withName("backup").withMountPath(CLAIM_MOUNT).withReadOnly(writes ? null : true).build());
    }
    if (destination.s3() != null && named(destination.s3().caSecretRef())) {
      mounts.add(mount("backup-ca", CA_MOUNT));
    }
    if (named(encryptionKeySecretRef)) {
      mounts.add(mount("backup-key", KEY_MOUNT));
    }
    return mounts;
  }

  static VolumeMount mount(String volume, String path) {
    return new VolumeMountBuilder().withName(volume).withMountPath(path).withReadOnly(true).build();
  }
}
