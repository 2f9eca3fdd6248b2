package io.kvorum.server.config;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.Map;

/** Values as Go writes them. */
public final class GoSyntax {
  private static final Map<String, Long> UNIT_NANOS =
      Map.of("ns", 1L, "us", 1_000L, "µs", 1_000L, "μs", 1_000L, "ms", 1_000_000L, "s", 1_000_000_000L, "m", 60_000_000_000L, "h", 3_600_000_000_000L);

  private GoSyntax() {}

  /** Null when it is none of Go's words. */
  static Boolean bool(String text) {
    return switch (text) {
      case "1", "t", "T", "true", "TRUE", "True" -> Boolean.TRUE;
      case "0", "f", "F", "false", "FALSE", "False" -> Boolean.FALSE;
      default -> null;
    };
  }

  /**
   * A whole number, decimal or with prefix 0x, 0o, 0b.
   *
   * @throws IllegalArgumentException "parse error" or "value out of range"
   */
  static long integer(String text, BigInteger low, BigInteger high) {
    String digits = text.replace("_", "");
    boolean negative = digits.startsWith("-");
    if (negative || digits.startsWith("+")) {
      digits = digits.substring(1);
    }
    int radix = 10;
    if (digits.length() > 1 && digits.charAt(0) == '0') {
      radix = switch (Character.toLowerCase(digits.charAt(1))) {
        case 'x' -> 16;
        case 'b' -> 2;
        default -> 8;
      };
      digits = digits.substring(Character.isDigit(digits.charAt(1)) ? 1 : 2);
    }
    BigInteger value;
    try {
      if (digits.isEmpty() || !Character.isLetterOrDigit(digits.charAt(0))) {
        throw new NumberFormatException();
      }
      value = new BigInteger(digits, radix);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("parse error");
    }
    value = negative ? value.negate() : value;
    if (value.compareTo(low) < 0) {
      throw new IllegalArgumentException(low.signum() == 0 ? "parse error" : "value out of range");
    }
    if (value.compareTo(high) > 0) {
      throw new IllegalArgumentException("value out of range");
    }
    return value.longValue();
  }

  /**
   * A duration such as {@code 1h15m30.5s}.
   *
   * @throws IllegalArgumentException "parse error"
   */
  public static Duration duration(String text) {
    String rest = text;
    boolean negative = rest.startsWith("-");
    if (negative || rest.startsWith("+")) {
      rest = rest.substring(1);
    }
    if (rest.equals("0")) {
      return Duration.ZERO;
    }
    if (rest.isEmpty()) {
      throw new IllegalArgumentException("parse error");
    }
    BigDecimal nanos = BigDecimal.ZERO;
    while (!rest.isEmpty()) {
      int digits = span(rest, 0, true);
      int end = span(rest, digits, false);
      Long unit = UNIT_NANOS.get(rest.substring(digits, end));
      if (digits == 0 || unit == null || rest.substring(0, digits).equals(".")) {
        throw new IllegalArgumentException("parse error");
      }
      try {
        nanos = nanos.add(new BigDecimal(rest.substring(0, digits)).multiply(BigDecimal.valueOf(unit)));
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException("parse error");
      }
      rest = rest.substring(end);
    }
    if (nanos.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
      throw new IllegalArgumentException("parse error");
    }
    return Duration.ofNanos(negative ? -nanos.longValue() : nanos.longValue());
  }

  private static int span(String text, int from, boolean number) {
    int i = from;
    while (i < text.length() && (Character.isDigit(text.charAt(i)) || text.charAt(i) == '.') == number) {
      i++;
    }
    return i;
  }

  /** As Go prints a duration. */
  public static String text(Duration duration) {
    long nanos = duration.toNanos();
    if (nanos == 0) {
      return "0s";
    }
    if (Math.abs(nanos) < 1_000) {
      return nanos + "ns";
    }
    if (Math.abs(nanos) < 1_000_000_000L) {
      boolean micros = Math.abs(nanos) < 1_000_000;
      return BigDecimal.valueOf(nanos, micros ? 3 : 6).stripTrailingZeros().toPlainString() + (micros ? "\u00b5s" : "ms");
    }
    StringBuilder out = new StringBuilder();
    long seconds = nanos / 1_000_000_000L;
    if (Math.abs(seconds) >= 3600) {
      out.append(seconds / 3600).append('h');
    }
    if (Math.abs(seconds) >= 60) {
      out.append(seconds % 3600 / 60).append('m');
    }
    BigDecimal left = BigDecimal.valueOf(nanos % 60_000_000_000L, 9).stripTrailingZeros();
    return out.append(left.signum() == 0 ? "0" : left.toPlainString()).append('s').toString();
  }

  /** As %q prints it. */
  static String quote(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\t", "\\t") + '"';
  }
}
