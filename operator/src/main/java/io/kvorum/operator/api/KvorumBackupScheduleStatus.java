package io.kvorum.operator.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fabric8.generator.annotation.Size;

/**
 * How a schedule is doing.
 *
 * @param observedGeneration generation of the specification that the last pass worked from
 * @param lastScheduleTime moment of the schedule that was last served by a run, or given up as missed
 * @param nextScheduleTime the next moment
 * @param lastSuccessfulBackup name of its newest run that was completed
 * @param lastVerifiedBackup name of its newest run that was proven
 * @param active name of the run under way, empty for none
 * @param missedRuns moments of the schedule that no run served, since the schedule was made
 * @param runs begun since the schedule was made
 * @param message what is wrong with it, empty when nothing is
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record KvorumBackupScheduleStatus(
    Long observedGeneration,
    @Size(max = 64) String lastScheduleTime,
    @Size(max = 64) String nextScheduleTime,
    @Size(max = Api.NAME) String lastSuccessfulBackup,
    @Size(max = Api.NAME) String lastVerifiedBackup,
    @Size(max = Api.NAME) String active,
    Long missedRuns,
    Long runs,
    @Size(max = Api.MESSAGE) String message) {
  /** Of a schedule that nobody has looked at. */
  public static final KvorumBackupScheduleStatus EMPTY = new KvorumBackupScheduleStatus(null, null, null, null, null, null, null, null, null);

  public KvorumBackupScheduleStatus {
    lastScheduleTime = Api.orEmpty(lastScheduleTime);
    nextScheduleTime = Api.orEmpty(nextScheduleTime);
    lastSuccessfulBackup = Api.orEmpty(lastSuccessfulBackup);
    lastVerifiedBackup = Api.orEmpty(lastVerifiedBackup);
    active = Api.orEmpty(active);
    missedRuns = missedRuns == null ? 0 : missedRuns;
    runs = runs == null ? 0 : runs;
    message = Api.orEmpty(message);
  }
}
