package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.kvorum.operator.api.KvorumBackupSpec.DeletionPolicy;
import java.time.Duration;
import java.util.Optional;

/**
 * When backups are taken and how long they are kept.
 *
 * @param clusterRef name of the KvorumCluster in the same namespace; cannot be changed
 * @param schedule cron expression of five fields
 * @param timeZone name of a time zone, UTC when absent
 * @param suspend no new runs; retention still follows the runs that there are
 * @param startingDeadlineSeconds a run that could not begin for so long is missed; absent: it begins however late it is
 * @param retention which runs are kept
 * @param verify how often a run is proven; absent: never
 * @param template what each run is made of
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
@ValidationRule(value = "self.clusterRef == oldSelf.clusterRef", message = "clusterRef cannot be changed")
public record KvorumBackupScheduleSpec(
    @Required @Size(min = 1, max = 40) String clusterRef,
    @Required @Size(min = 1, max = 128) String schedule,
    @Default("UTC") @Size(max = 64) String timeZone,
    @Default("false") Boolean suspend,
    @Min(10) @Max(31536000) Long startingDeadlineSeconds,
    @Required Retention retention,
    Verify verify,
    Template template) {
  public KvorumBackupScheduleSpec {
    timeZone = timeZone == null || timeZone.isEmpty() ? "UTC" : timeZone;
    suspend = suspend != null && suspend;
    template = template == null ? Template.DEFAULTS : template;
  }

  /**
   * Which runs are kept: those that one of the two names. A chain is kept or deleted as a whole; the newest one and the newest verified one are always kept.
   *
   * @param keepLast successful runs
   * @param keepFor of the time since they were completed
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @ValidationRule(value = "has(self.keepLast) || has(self.keepFor)", message = "retention needs keepLast or keepFor")
  public record Retention(@Min(1) @Max(1000) Integer keepLast, @Size(max = 32) @Pattern(Api.DURATION) String keepFor) {
    /** {@link #keepFor} as a duration. */
    public Optional<Duration> keptFor() {
      return keepFor == null || keepFor.isEmpty() ? Optional.empty() : Optional.of(Api.duration(keepFor));
    }
  }

  /** @param every each so many runs: 1 for all of them; the first run is one of them */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Verify(@Required @Min(1) @Max(1000) Integer every) {}

  /**
   * What each run is made of.
   *
   * @param deletionPolicy Delete when absent, so that retention frees the space
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  @ValidationRule(value = "!has(self.encryptionKeySecretRef) || has(self.destination)", message = "encryptionKeySecretRef goes with a destination")
  public record Template(
      @Default("Full") KvorumBackupSpec.Type type, BackupSpec.Destination destination, @Size(max = 253) String encryptionKeySecretRef,
      @Default("Delete") DeletionPolicy deletionPolicy) {
    static final Template DEFAULTS = new Template(null, null, null, null);

    public Template {
      type = type == null ? KvorumBackupSpec.Type.FULL : type;
      encryptionKeySecretRef = Api.orEmpty(encryptionKeySecretRef);
      deletionPolicy = deletionPolicy == null ? DeletionPolicy.DELETE : deletionPolicy;
    }
  }
}
