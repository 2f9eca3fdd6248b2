package io.kvorum.operator.schedule;

import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.zone.ZoneOffsetTransition;
import java.time.zone.ZoneRules;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A cron expression of five fields in a time zone.
 *
 * <p>When clocks go forward, a moment in the hour that does not exist is the end of that hour: it is neither left out nor moved by an hour, and several are one.
 * When they go back, the hour that comes twice counts once for an expression that names hours, so that what is daily stays daily; one whose hours are {@code *} or
 * {@code *}{@code /n} goes through both.
 */
public final class Cron {
  /** Moments further apart than the clocks of any zone were ever moved do not meet. */
  private static final Duration NEAR = Duration.ofDays(1);

  /** How often a neighbour is looked for beyond one that does not count. */
  private static final int STEPS = 200;

  private final ExecutionTime times;
  private final ZoneRules rules;
  private final boolean everyHour;

  private Cron(ExecutionTime times, ZoneRules rules, boolean everyHour) {
    this.times = times;
    this.rules = rules;
    this.everyHour = everyHour;
  }

  /**
   * @param expression minute, hour, day of month, month, day of week
   * @param zone name of a time zone; empty is UTC
   * @throws IllegalArgumentException when one of them is wrong, with one line for the user
   */
  public static Cron parse(String expression, String zone) {
    ZoneRules rules;
    try {
      rules = (zone.isEmpty() ? ZoneOffset.UTC : ZoneId.of(zone)).getRules();
    } catch (DateTimeException wrong) {
      throw new IllegalArgumentException("no such time zone: " + zone, wrong);
    }
    try {
      com.cronutils.model.Cron cron = new CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX)).parse(expression).validate();
      String[] fields = expression.trim().split("\\s+");
      return new Cron(ExecutionTime.forCron(cron), rules, fields.length > 1 && fields[1].startsWith("*"));
    } catch (IllegalArgumentException wrong) {
      throw new IllegalArgumentException("not a cron expression of five fields: " + expression, wrong);
    }
  }

  /** The last moment up to and with {@code at}; empty when there never was one. */
  public Optional<Instant> last(Instant at) {
    List<Instant> found = new ArrayList<>();
    for (ZoneOffset offset : offsets(at)) {
      Optional<LocalDateTime> local = before(LocalDateTime.ofInstant(at, offset), true);
      for (int i = 0; i < STEPS && local.isPresent(); i++) {
        Optional<Instant> moment = moments(local.get()).stream().filter(one -> !one.isAfter(at)).max(Comparator.naturalOrder());
        if (moment.isPresent()) {
          found.add(moment.get());
          break;
        }
        local = before(local.get(), false);
      }
    }
    return found.stream().max(Comparator.naturalOrder());
  }

  /** The first moment after {@code at}; empty when there is none. */
  public Optional<Instant> next(Instant at) {
    List<Instant> found = new ArrayList<>();
    for (ZoneOffset offset : offsets(at)) {
      Optional<LocalDateTime> local = after(LocalDateTime.ofInstant(at, offset));
      for (int i = 0; i < STEPS && local.isPresent(); i++) {
        Optional<Instant> moment = moments(local.get()).stream().filter(one -> one.isAfter(at)).min(Comparator.naturalOrder());
        if (moment.isPresent()) {
          found.add(moment.get());
          break;
        }
        local = after(local.get());
      }
    }
    return found.stream().min(Comparator.naturalOrder());
  }

  /** How many moments are after {@code from} and not after {@code to}; counting ends at {@code most}. */
  public long count(Instant from, Instant to, long most) {
    long count = 0;
    Optional<Instant> moment = next(from);
    while (count < most && moment.isPresent() && !moment.get().isAfter(to)) {
      count++;
      moment = next(moment.get());
    }
    return count;
  }

  /** The offsets that clocks show around a moment. */
  private Set<ZoneOffset> offsets(Instant at) {
    Set<ZoneOffset> offsets = new LinkedHashSet<>();
    offsets.add(rules.getOffset(at));
    near(rules.previousTransition(at.plusNanos(1)), at).ifPresent(offsets::add);
    Optional<ZoneOffsetTransition> next = Optional.ofNullable(rules.nextTransition(at));
    next.filter(transition -> Duration.between(at, transition.getInstant()).compareTo(NEAR) <= 0).map(ZoneOffsetTransition::getOffsetAfter).ifPresent(offsets::add);
    return offsets;
  }

  private static Optional<ZoneOffset> near(ZoneOffsetTransition previous, Instant at) {
    return Optional.ofNullable(previous)
        .filter(transition -> Duration.between(transition.getInstant(), at).compareTo(NEAR) <= 0).map(ZoneOffsetTransition::getOffsetBefore);
  }

  /** When clocks show this. */
  private List<Instant> moments(LocalDateTime local) {
    List<ZoneOffset> valid = rules.getValidOffsets(local);
    if (valid.isEmpty()) {
      return List.of(rules.getTransition(local).getInstant());
    }
    return (everyHour ? valid : valid.subList(0, 1)).stream().map(local::toInstant).toList();
  }

  private Optional<LocalDateTime> before(LocalDateTime local, boolean inclusive) {
    ZonedDateTime time = local.atZone(ZoneOffset.UTC);
    if (inclusive && times.isMatch(time)) {
      return Optional.of(local.withSecond(0).withNano(0));
    }
    return times.lastExecution(time).map(ZonedDateTime::toLocalDateTime);
  }

  private Optional<LocalDateTime> after(LocalDateTime local) {
    return times.nextExecution(local.atZone(ZoneOffset.UTC)).map(ZonedDateTime::toLocalDateTime);
  }
}
