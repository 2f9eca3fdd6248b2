package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/** How the cluster comes into being; absent for an empty one. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record BootstrapSpec(Recovery recovery) {

  /**
   * From a backup.
   *
   * @param backupRef name of a KvorumBackup; or
   * @param location of a backup, as {@code status.artefact.uri} of its object says, or of a repository, whose newest backup is meant:
   *     {@code s3://bucket/prefix}, {@code gs://bucket/prefix} or {@code pvc://claim/path}
   * @param source how the location is reached (endpoint, credentials); absent: as spec.backup.destination
   * @param encryptionKeySecretRef secret with the key "key"; absent: spec.backup's
   * @param revisionBump how far revisions jump, so that no client's cache is ahead of the store
   * @param markCompacted watches from before the backup end with "compacted"
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @ValidationRule(value = "has(self.backupRef) != has(self.location)", message = "a recovery is from a backupRef or from a location")
  @ValidationRule(value = "!has(self.source) || has(self.location)", message = "source goes with a location")
  public record Recovery(
      @Size(max = 253) String backupRef,
      @Size(max = 1024) @Pattern("^(s3|gs|pvc)://[^/]+(/.*)?$") String location,
      BackupSpec.Destination source,
      @Size(max = 253) String encryptionKeySecretRef,
      Target target,
      @Default("1000000000") @Min(0) Long revisionBump,
      @Default("true") Boolean markCompacted) {
    public Recovery {
      backupRef = Api.orEmpty(backupRef);
      location = Api.orEmpty(location);
      encryptionKeySecretRef = Api.orEmpty(encryptionKeySecretRef);
      revisionBump = revisionBump == null ? 1_000_000_000L : revisionBump;
      markCompacted = markCompacted == null || markCompacted;
    }
  }

  /** How far the backup is replayed. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @ValidationRule(value = "!(has(self.revision) && has(self.time))", message = "a target is a revision or a time")
  public record Target(
      @Min(1) Long revision,
      @Size(max = 64) @Pattern("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$") String time) {}
}
