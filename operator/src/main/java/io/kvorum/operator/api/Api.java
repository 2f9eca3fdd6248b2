package io.kvorum.operator.api;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names and number formats that all kinds share. */
public final class Api {
  /** API group of all kinds. */
  public static final String GROUP = "kvorum.io";

  /** First version of the group. */
  public static final String VERSION = "v1alpha1";

  /** Finalizer of clusters and members. */
  public static final String FINALIZER = "kvorum.io/protect";

  /** Longest object name in Kubernetes. */
  static final int NAME = 253;

  /** Longest message in a status. */
  static final int MESSAGE = 2048;

  /** A duration as Kubernetes users write it: whole numbers of ms, s, m or h, e.g. {@code 1h30m}. */
  static final String DURATION = "^([0-9]{1,6}(ms|s|m|h))+$";

  private static final Pattern PART = Pattern.compile("([0-9]{1,6})(ms|s|m|h)");

  private Api() {}

  /** The duration that {@link #DURATION} describes; an illegal text is an {@link IllegalArgumentException}. */
  public static Duration duration(String text) {
    if (!text.matches(DURATION)) {
      throw new IllegalArgumentException("not a duration: " + text);
    }
    Duration sum = Duration.ZERO;
    Matcher part = PART.matcher(text);
    while (part.find()) {
      long number = Long.parseLong(part.group(1));
      sum = sum.plus(switch (part.group(2)) {
        case "ms" -> Duration.ofMillis(number);
        case "s" -> Duration.ofSeconds(number);
        case "m" -> Duration.ofMinutes(number);
        default -> Duration.ofHours(number);
      });
    }
    return sum;
  }

  /** An id of a member or cluster as statuses show it: lower-case hexadecimal without leading zeros, empty for 0. */
  public static String id(long id) {
    return id == 0 ? "" : Long.toHexString(id);
  }

  /** The id behind {@link #id(long)}; 0 for an empty text. */
  public static long id(String text) {
    return text.isEmpty() ? 0 : Long.parseUnsignedLong(text, 16);
  }

  /** A moment as statuses show it: ISO 8601 in UTC, whole milliseconds. */
  public static String time(Instant moment) {
    return moment.truncatedTo(ChronoUnit.MILLIS).toString();
  }

  /** The moment behind {@link #time(Instant)}; empty for an empty text. */
  public static Optional<Instant> time(String text) {
    return text.isEmpty() ? Optional.empty() : Optional.of(Instant.parse(text));
  }

  static String orEmpty(String text) {
    return text == null ? "" : text;
  }
}
