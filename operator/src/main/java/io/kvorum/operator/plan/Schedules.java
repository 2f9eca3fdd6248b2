package io.kvorum.operator.plan;

import com.cronutils.model.Cron;
import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.api.UpdateSpec.Window;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Optional;

/** Cron expressions of five fields. */
public final class Schedules {
  private Schedules() {}

  /** The last moment up to {@code at} that the schedule names; empty when there is none or the expression is wrong. */
  public static Optional<Instant> last(String schedule, Instant at) {
    return last(schedule, ZoneOffset.UTC, at);
  }

  private static Optional<Instant> last(String schedule, ZoneId zone, Instant at) {
    try {
      ExecutionTime times = ExecutionTime.forCron(parse(schedule));
      ZonedDateTime now = at.atZone(zone);
      return times.isMatch(now) ? Optional.of(now.withSecond(0).withNano(0).toInstant()) : times.lastExecution(now).map(ZonedDateTime::toInstant);
    } catch (IllegalArgumentException wrong) {
      return Optional.empty();
    }
  }

  /** A run is due that nobody has served yet; several missed ones are one. */
  public static boolean due(String schedule, Optional<Instant> served, Instant created, Instant at) {
    return last(schedule, at).filter(moment -> moment.isAfter(served.orElse(created))).isPresent();
  }

  /** One of the windows is open; no windows are always open. */
  public static boolean open(List<Window> windows, Instant at) {
    return windows.isEmpty() || windows.stream().anyMatch(window -> open(window, at));
  }

  private static boolean open(Window window, Instant at) {
    try {
      return last(window.schedule(), ZoneId.of(window.timeZone()), at)
          .filter(opened -> at.isBefore(opened.plus(Duration.ofMinutes(window.durationMinutes())))).isPresent();
    } catch (DateTimeException wrong) {
      return false;
    }
  }

  /** What is wrong with the schedules of a specification; empty when nothing is. */
  public static Optional<String> problem(KvorumClusterSpec spec) {
    for (Window window : spec.update().maintenanceWindows()) {
      try {
        ZoneId.of(window.timeZone());
      } catch (DateTimeException wrong) {
        return Optional.of("update.maintenanceWindows: no such time zone: " + window.timeZone());
      }
      Optional<String> problem = problem("update.maintenanceWindows", window.schedule());
      if (problem.isPresent()) {
        return problem;
      }
    }
    if (spec.maintenance().defragmentation() != null) {
      Optional<String> problem = problem("maintenance.defragmentation.schedule", spec.maintenance().defragmentation().schedule());
      if (problem.isPresent()) {
        return problem;
      }
    }
    return spec.maintenance().compaction() == null
        ? Optional.empty() : problem("maintenance.compaction.schedule", spec.maintenance().compaction().schedule());
  }

  private static Optional<String> problem(String field, String schedule) {
    try {
      parse(schedule);
      return Optional.empty();
    } catch (IllegalArgumentException wrong) {
      return Optional.of(field + " is not a cron expression of five fields: " + schedule);
    }
  }

  private static Cron parse(String schedule) {
    return new CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX)).parse(schedule).validate();
  }
}
