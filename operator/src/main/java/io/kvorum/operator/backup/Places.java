package io.kvorum.operator.backup;

import io.kvorum.operator.api.BackupSpec;
import io.kvorum.operator.api.BackupSpec.Destination;
import io.kvorum.operator.api.BootstrapSpec.Recovery;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.desired.BackupStorage;
import io.kvorum.operator.desired.SeedRestore;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Addresses of repositories and of what is in them, as users read and write them. */
public final class Places {
  private static final Pattern LOCATION = Pattern.compile("^(s3|gs|pvc)://([^/]+)(/.*)?$");
  private static final Pattern MANIFEST = Pattern.compile("^(.*?)/?backups/([^/]+)\\.json$");

  private Places() {}

  /** What a recovery begins with, or why it cannot begin. */
  public record Found(Optional<SeedRestore> restore, String problem) {
    private static Found problem(String text) {
      return new Found(Optional.empty(), text);
    }
  }

  /** Address of a backup's manifest: what {@code bootstrap.recovery.location} takes. */
  public static String uri(Destination destination, String id) {
    String place;
    if (destination.s3() != null) {
      place = join("s3://" + destination.s3().bucket(), destination.s3().prefix());
    } else if (destination.gcs() != null) {
      place = join("gs://" + destination.gcs().bucket(), destination.gcs().prefix());
    } else {
      place = join("pvc://" + destination.pvc().claimName(), destination.pvc().path());
    }
    return place + "/backups/" + id + ".json";
  }

  private static String join(String start, String path) {
    String trimmed = trim(path);
    return trimmed.isEmpty() ? start : start + "/" + trimmed;
  }

  private static String trim(String path) {
    return path.replaceAll("^/+|/+$", "");
  }

  /**
   * What the first member of a recovered cluster is made from.
   *
   * @param own spec.backup of the cluster, which says how a location is reached unless the recovery does
   * @param backups all of the namespace
   */
  public static Found resolve(Recovery recovery, Optional<BackupSpec> own, List<KvorumBackup> backups) {
    Optional<Long> revision = Optional.ofNullable(recovery.target()).map(target -> target.revision());
    Optional<String> time = Optional.ofNullable(recovery.target()).map(target -> target.time()).filter(text -> !text.isEmpty());
    if (!recovery.backupRef().isEmpty()) {
      return of(recovery.backupRef(), revision, time, backups, recovery.revisionBump(), recovery.markCompacted());
    }
    Matcher location = LOCATION.matcher(recovery.location());
    if (!location.matches()) {
      return Found.problem(recovery.location() + " is no location: s3://bucket/prefix, gs://bucket/prefix or pvc://claim/path");
    }
    String path = location.group(3) == null ? "" : location.group(3);
    Matcher manifest = MANIFEST.matcher(path);
    String id = manifest.matches() ? manifest.group(2) : "";
    Optional<Destination> how = Optional.ofNullable(recovery.source()).or(() -> own.map(BackupSpec::destination));
    Optional<Destination> place = place(location.group(1), location.group(2), trim(manifest.matches() ? manifest.group(1) : path), how);
    if (place.isEmpty()) {
      return Found.problem("recovery.source, or else backup.destination, says how " + recovery.location() + " is reached: it is of another kind");
    }
    String key = recovery.encryptionKeySecretRef().isEmpty() ? own.map(BackupSpec::encryptionKeySecretRef).orElse("") : recovery.encryptionKeySecretRef();
    return new Found(Optional.of(
        new SeedRestore(new BackupStorage(place.get(), key), id, revision, time, recovery.revisionBump(), recovery.markCompacted())), "");
  }

  /** What a member is made from that begins with this backup. */
  public static Found of(
      String name, Optional<Long> revision, Optional<String> time, List<KvorumBackup> backups, long revisionBump, boolean markCompacted) {
    Optional<KvorumBackup> backup = backups.stream().filter(one -> one.getMetadata().getName().equals(name)).findFirst();
    if (backup.isEmpty()) {
      return Found.problem("there is no KvorumBackup " + name);
    }
    KvorumBackupStatus status = backup.get().known();
    if (status.phase() == KvorumBackupStatus.Phase.FAILED) {
      return Found.problem("KvorumBackup " + name + " has failed: " + status.message());
    }
    if (status.artefact() == null || status.destination() == null) {
      return Found.problem("KvorumBackup " + name + " is not completed");
    }
    if (revision.isPresent() && revision.get() > status.artefact().toRevision()) {
      return Found.problem("KvorumBackup " + name + " ends at revision " + status.artefact().toRevision());
    }
    BackupStorage storage = new BackupStorage(status.destination(), status.encryptionKeySecretRef());
    return new Found(Optional.of(new SeedRestore(storage, status.artefact().id(), revision, time, revisionBump, markCompacted)), "");
  }

  private static Optional<Destination> place(String scheme, String bucket, String path, Optional<Destination> how) {
    return switch (scheme) {
      case "s3" -> how.map(Destination::s3).map(s3 -> new Destination(
          new BackupSpec.S3(bucket, path, s3.endpoint(), s3.region(), s3.pathStyle(), s3.caSecretRef(), s3.credentialsSecretRef()), null, null));
      case "gs" -> how.map(Destination::gcs).map(gcs -> new Destination(null, new BackupSpec.Gcs(bucket, path, gcs.credentialsSecretRef()), null));
      // A volume of this namespace needs nothing to be reached.
      default -> Optional.of(new Destination(null, null, new BackupSpec.Pvc(bucket, path)));
    };
  }
}
