package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;

/** Where backups go and how they are cut. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record BackupSpec(Destination destination, Delta delta, @Size(max = 253) String encryptionKeySecretRef) {

  /** Exactly one place. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @ValidationRule(
      value = "(has(self.s3) ? 1 : 0) + (has(self.gcs) ? 1 : 0) + (has(self.pvc) ? 1 : 0) == 1", message = "a destination is exactly one of s3, gcs and pvc")
  public record Destination(S3 s3, Gcs gcs, Pvc pvc) {}

  /** A bucket of an S3-compatible store. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record S3(
      @Required @Size(max = 253) String bucket, @Size(max = 512) String prefix, @Size(max = 512) String endpoint, @Size(max = 64) String region,
      @Size(max = 253) String credentialsSecretRef) {}

  /** A bucket of Google's store. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Gcs(@Required @Size(max = 253) String bucket, @Size(max = 512) String prefix, @Size(max = 253) String credentialsSecretRef) {}

  /** A folder of a volume. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Pvc(@Required @Size(max = 253) String claimName, @Size(max = 512) String path) {}

  /** What is written between full backups. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Delta(@Default("false") Boolean enabled, @Default("5m") @Size(max = 32) @Pattern(Api.DURATION) String interval, Quantity maxBytes) {
    public Delta {
      enabled = enabled != null && enabled;
      interval = interval == null ? "5m" : interval;
    }
  }
}
