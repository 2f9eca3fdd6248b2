package io.kvorum.operator.plan;

import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.api.MaintenanceSpec;
import io.kvorum.operator.api.UpdateSpec.Window;
import io.kvorum.operator.schedule.Cron;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** The schedules of a specification: when maintenance is due, and when its windows are open. */
public final class Schedules {
  private Schedules() {}

  /** A run is due that nobody has served yet; several missed ones are one. A schedule that is wrong is never due. */
  public static boolean due(String schedule, String zone, Optional<Instant> served, Instant created, Instant at) {
    return last(schedule, zone, at).filter(moment -> moment.isAfter(served.orElse(created))).isPresent();
  }

  private static Optional<Instant> last(String schedule, String zone, Instant at) {
    try {
      return Cron.parse(schedule, zone).last(at);
    } catch (IllegalArgumentException wrong) {
      return Optional.empty();
    }
  }

  /** One of the windows is open; no windows are always open. */
  public static boolean open(List<Window> windows, Instant at) {
    return windows.isEmpty() || windows.stream().anyMatch(window -> open(window, at));
  }

  private static boolean open(Window window, Instant at) {
    return last(window.schedule(), window.timeZone(), at)
        .filter(opened -> at.isBefore(opened.plus(Duration.ofMinutes(window.durationMinutes())))).isPresent();
  }

  /** What is wrong with the schedules of a specification; empty when nothing is. */
  public static Optional<String> problem(KvorumClusterSpec spec) {
    for (Window window : spec.update().maintenanceWindows()) {
      Optional<String> problem = problem("update.maintenanceWindows", window.schedule(), window.timeZone());
      if (problem.isPresent()) {
        return problem;
      }
    }
    MaintenanceSpec.Defragmentation defragmentation = spec.maintenance().defragmentation();
    MaintenanceSpec.Compaction compaction = spec.maintenance().compaction();
    return Optional.ofNullable(defragmentation).flatMap(one -> problem("maintenance.defragmentation", one.schedule(), one.timeZone()))
        .or(() -> Optional.ofNullable(compaction).flatMap(one -> problem("maintenance.compaction", one.schedule(), one.timeZone())));
  }

  private static Optional<String> problem(String field, String schedule, String zone) {
    try {
      Cron.parse(schedule, zone);
      return Optional.empty();
    } catch (IllegalArgumentException wrong) {
      return Optional.of(field + ": " + wrong.getMessage());
    }
  }
}
