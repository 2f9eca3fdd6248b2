package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/**
 * One run, never changed after it was asked for.
 *
 * @param clusterRef name of the KvorumCluster in the same namespace
 * @param type what is wanted; a delta that no chain can take becomes a full one, see {@link KvorumBackupStatus#type}
 * @param destination where it goes; the cluster's own when absent
 * @param encryptionKeySecretRef secret with the key "key"; with a destination of its own only, otherwise the cluster's counts
 * @param verify it is restored in a place of its own after it was taken, and its content compared
 * @param deletionPolicy what becomes of the artefact when this object is deleted
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@ValidationRule(value = "self == oldSelf", message = "a backup cannot be changed")
@ValidationRule(value = "!has(self.encryptionKeySecretRef) || has(self.destination)", message = "encryptionKeySecretRef goes with a destination")
public record KvorumBackupSpec(
    @Required @Size(min = 1, max = 40) String clusterRef,
    @Default("Full") Type type,
    BackupSpec.Destination destination,
    @Size(max = 253) String encryptionKeySecretRef,
    @Default("false") Boolean verify,
    @Default("Retain") DeletionPolicy deletionPolicy) {
  public KvorumBackupSpec {
    type = type == null ? Type.FULL : type;
    encryptionKeySecretRef = Api.orEmpty(encryptionKeySecretRef);
    verify = verify != null && verify;
    deletionPolicy = deletionPolicy == null ? DeletionPolicy.RETAIN : deletionPolicy;
  }

  /** What is taken. */
  public enum Type {
    /** Everything. */
    @JsonProperty("Full")
    FULL,
    /** What was committed since the backup before. */
    @JsonProperty("Delta")
    DELTA
  }

  /** What becomes of an artefact. */
  public enum DeletionPolicy {
    /** It is deleted with its object. */
    @JsonProperty("Delete")
    DELETE,
    /** It stays. */
    @JsonProperty("Retain")
    RETAIN
  }
}
