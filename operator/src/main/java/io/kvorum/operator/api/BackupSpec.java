package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Quantity;
import java.time.Duration;

/**
 * Where backups go and how they are cut.
 *
 * @param destination of all backups that name none of their own
 * @param delta what is taken by itself between full backups
 * @param encryptionKeySecretRef secret with the key "key": 32 bytes, raw, in hexadecimal or base64; absent: not encrypted
 * @param bytesPerSecond that a run reads at most; absent: as fast as it can
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record BackupSpec(Destination destination, Delta delta, @Size(max = 253) String encryptionKeySecretRef, Quantity bytesPerSecond) {
  public BackupSpec {
    encryptionKeySecretRef = Api.orEmpty(encryptionKeySecretRef);
  }

  /** Deltas are taken by themselves. */
  public boolean continuous() {
    return delta != null && delta.enabled();
  }

  /** {@link #bytesPerSecond} as a number; 0 for no bound. */
  public long throttle() {
    return bytesPerSecond == null ? 0 : bytesPerSecond.getNumericalAmount().longValue();
  }

  /** Exactly one place. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @ValidationRule(
      value = "(has(self.s3) ? 1 : 0) + (has(self.gcs) ? 1 : 0) + (has(self.pvc) ? 1 : 0) == 1", message = "a destination is exactly one of s3, gcs and pvc")
  public record Destination(S3 s3, Gcs gcs, Pvc pvc) {}

  /**
   * A bucket of an S3-compatible store.
   *
   * @param endpoint URL of the store; absent for Amazon's
   * @param pathStyle the bucket is in the path of the URL and not in its host name
   * @param caSecretRef secret with the key ca.crt: what the endpoint's certificate is checked with; absent for the system's authorities
   * @param credentialsSecretRef secret with the keys AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, if need be, AWS_SESSION_TOKEN
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record S3(
      @Required @Size(min = 1, max = 253) String bucket, @Size(max = 512) String prefix, @Size(max = 512) String endpoint, @Size(max = 64) String region,
      @Default("false") Boolean pathStyle, @Size(max = 253) String caSecretRef, @Size(max = 253) String credentialsSecretRef) {
    public S3 {
      prefix = Api.orEmpty(prefix);
      endpoint = Api.orEmpty(endpoint);
      region = Api.orEmpty(region);
      pathStyle = pathStyle != null && pathStyle;
      caSecretRef = Api.orEmpty(caSecretRef);
      credentialsSecretRef = Api.orEmpty(credentialsSecretRef);
    }
  }

  /**
   * A bucket of Google's store, through its S3 interface.
   *
   * @param credentialsSecretRef secret with an HMAC key under the names AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Gcs(@Required @Size(min = 1, max = 253) String bucket, @Size(max = 512) String prefix, @Size(max = 253) String credentialsSecretRef) {
    public Gcs {
      prefix = Api.orEmpty(prefix);
      credentialsSecretRef = Api.orEmpty(credentialsSecretRef);
    }
  }

  /** A folder of a volume. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Pvc(@Required @Size(min = 1, max = 253) String claimName, @Size(max = 512) String path) {
    public Pvc {
      path = Api.orEmpty(path);
    }
  }

  /**
   * What is taken by itself between full backups.
   *
   * @param interval from the end of one backup to the next delta
   * @param maxBytes that the deltas behind one full backup may have together; the next one then begins a new chain. Absent: 1Gi
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Delta(@Default("false") Boolean enabled, @Default("5m") @Size(max = 32) @Pattern(Api.DURATION) String interval, Quantity maxBytes) {
    private static final long DEFAULT_BYTES = 1L << 30;

    public Delta {
      enabled = enabled != null && enabled;
      interval = interval == null ? "5m" : interval;
    }

    /** {@link #interval} as a duration. */
    public Duration every() {
      return Api.duration(interval);
    }

    /** {@link #maxBytes} as a number. */
    public long bytes() {
      return maxBytes == null ? DEFAULT_BYTES : maxBytes.getNumericalAmount().longValue();
    }
  }
}
