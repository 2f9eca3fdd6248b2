package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.kubernetes.api.model.Quantity;

/** Work on the database beside serving. */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record MaintenanceSpec(Defragmentation defragmentation, Compaction compaction, @Default("Alert") OnQuotaExceeded onQuotaExceeded) {
  /** No schedule, a full database is only reported. */
  public static final MaintenanceSpec DEFAULTS = new MaintenanceSpec(null, null, null);

  public MaintenanceSpec {
    onQuotaExceeded = onQuotaExceeded == null ? OnQuotaExceeded.ALERT : onQuotaExceeded;
  }

  /**
   * Scheduled reclaiming of space, one member after the other, begun in update.maintenanceWindows only.
   *
   * @param schedule cron expression of five fields
   * @param timeZone name of a time zone, UTC when absent
   * @param fragmentationAbove percent of the database that is not in use
   * @param minReclaim a member that would give back less is skipped
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Defragmentation(
      @Required @Size(max = 128) String schedule, @Default("UTC") @Size(max = 64) String timeZone, @Default("30") @Min(0) @Max(100) Integer fragmentationAbove,
      @Default("64Mi") Quantity minReclaim) {
    public Defragmentation {
      timeZone = timeZone == null ? "UTC" : timeZone;
      fragmentationAbove = fragmentationAbove == null ? 30 : fragmentationAbove;
      minReclaim = minReclaim == null ? new Quantity("64Mi") : minReclaim;
    }
  }

  /**
   * Scheduled compaction.
   *
   * @param schedule cron expression of five fields
   * @param timeZone name of a time zone, UTC when absent
   * @param keepRevisions newest revisions that stay readable
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Compaction(
      @Required @Size(max = 128) String schedule, @Default("UTC") @Size(max = 64) String timeZone, @Default("1000") @Min(0) Long keepRevisions) {
    public Compaction {
      timeZone = timeZone == null ? "UTC" : timeZone;
      keepRevisions = keepRevisions == null ? 1000 : keepRevisions;
    }
  }

  /** What happens when the database reaches its quota. */
  public enum OnQuotaExceeded {
    @JsonProperty("Alert")
    ALERT,
    @JsonProperty("CompactAndDefragment")
    COMPACT_AND_DEFRAGMENT
  }
}
