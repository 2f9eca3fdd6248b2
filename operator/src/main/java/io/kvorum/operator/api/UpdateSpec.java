package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.util.List;

/**
 * How changes reach running members.
 *
 * @param minReadySeconds pause between two disruptive actions
 * @param maxLagEntries how many log entries a member may be behind and still count as caught up
 * @param progressDeadlineSeconds how long one member may take
 * @param maintenanceWindows rollouts start inside these only; empty for always
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record UpdateSpec(
    @Default("Rolling") Strategy strategy,
    @Default("TransferThenRestart") Leader leader,
    @Default("10") @Min(0) @Max(86400) Integer minReadySeconds,
    @Default("1000") @Min(0) Long maxLagEntries,
    @Default("1800") @Min(1) @Max(604800) Integer progressDeadlineSeconds,
    @Size(max = 16) List<Window> maintenanceWindows) {
  /** Rolling, with a transfer of the leader, at any time. */
  public static final UpdateSpec DEFAULTS = new UpdateSpec(null, null, null, null, null, null);

  public UpdateSpec {
    strategy = strategy == null ? Strategy.ROLLING : strategy;
    leader = leader == null ? Leader.TRANSFER_THEN_RESTART : leader;
    minReadySeconds = minReadySeconds == null ? 10 : minReadySeconds;
    maxLagEntries = maxLagEntries == null ? 1000 : maxLagEntries;
    progressDeadlineSeconds = progressDeadlineSeconds == null ? 1800 : progressDeadlineSeconds;
    maintenanceWindows = maintenanceWindows == null ? List.of() : List.copyOf(maintenanceWindows);
  }

  /**
   * A time in which rollouts may start.
   *
   * @param schedule cron expression of five fields: when it opens
   * @param durationMinutes how long it stays open
   * @param timeZone name of a time zone, UTC when absent
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Window(
      @Required @Size(max = 128) String schedule, @Default("60") @Min(1) @Max(10080) Integer durationMinutes,
      @Default("UTC") @Size(max = 64) String timeZone) {
    public Window {
      durationMinutes = durationMinutes == null ? 60 : durationMinutes;
      timeZone = timeZone == null ? "UTC" : timeZone;
    }
  }

  /** Who restarts members. */
  public enum Strategy {
    /** The operator, one after the other. */
    @JsonProperty("Rolling")
    ROLLING,
    /** The user, by deleting pods or by a KvorumOperation. */
    @JsonProperty("Manual")
    MANUAL
  }

  /** What happens when only the leader is left to be restarted. */
  public enum Leader {
    @JsonProperty("TransferThenRestart")
    TRANSFER_THEN_RESTART,
    @JsonProperty("WaitForUser")
    WAIT_FOR_USER
  }
}
