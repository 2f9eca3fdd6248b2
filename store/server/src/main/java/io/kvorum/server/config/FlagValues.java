package io.kvorum.server.config;

import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Values of the flags: those that were given, over the defaults of the table. A deprecated name counts for its replacement. */
final class FlagValues {
  private static final BigInteger UINT_MAX = BigInteger.TWO.pow(64).subtract(BigInteger.ONE);
  private static final BigInteger UINT32_MAX = BigInteger.TWO.pow(32).subtract(BigInteger.ONE);

  private final FlagTable table;
  private final Map<String, String> given = new LinkedHashMap<>();

  FlagValues(FlagTable table) {
    this.table = table;
  }

  Set<String> names() {
    return given.keySet();
  }

  boolean isGiven(String name) {
    return given.containsKey(name);
  }

  /**
   * Sets one value.
   *
   * @throws IllegalArgumentException with the words of Go when the value does not fit the flag's kind
   */
  void set(Flag flag, String value) {
    switch (flag.kind()) {
      case STRING, STRINGS, IGNORED -> {}
      case BOOL -> {
        if (GoSyntax.bool(value) == null) {
          throw new IllegalArgumentException("parse error");
        }
      }
      case INT -> GoSyntax.integer(value, BigInteger.valueOf(Long.MIN_VALUE), BigInteger.valueOf(Long.MAX_VALUE));
      case UINT -> GoSyntax.integer(value, BigInteger.ZERO, UINT_MAX);
      case UINT32 -> GoSyntax.integer(value, BigInteger.ZERO, UINT32_MAX);
      case DURATION -> GoSyntax.duration(value);
      case URLS -> {
        if (!value.isEmpty()) {
          Urls.parse(value);
        }
      }
      case ORIGINS -> {
        if (!value.isEmpty() && !value.equals("*")) {
          Urls.parse(value);
        }
      }
      case CLUSTER_STATE -> oneOf(value, List.of("new", "existing"));
      case FALLBACK -> oneOf(value, List.of("exit", "proxy"));
      case GATES -> FeatureGates.parse(value);
    }
    given.put(flag.name(), value);
  }

  private static void oneOf(String value, List<String> valid) {
    if (!valid.contains(value)) {
      throw new IllegalArgumentException("invalid value " + GoSyntax.quote(value));
    }
  }

  /** The text that counts for a flag: given, given under its deprecated name, or the default. */
  String text(String name) {
    String value = given.get(name);
    if (value == null) {
      value = given.get("experimental-" + name);
    }
    return value == null ? table.get(name).defaultValue() : value;
  }

  /** The text as given under exactly this name; empty when it was not. */
  String givenText(String name) {
    return given.getOrDefault(name, "");
  }

  boolean bool(String name) {
    return Boolean.TRUE.equals(GoSyntax.bool(text(name)));
  }

  /** A number; what does not fit into a long (only for unsigned flags) is the largest long. */
  long number(String name) {
    BigInteger high = table.get(name).kind() == Flag.Kind.INT ? BigInteger.valueOf(Long.MAX_VALUE) : UINT_MAX;
    long value = GoSyntax.integer(text(name), BigInteger.valueOf(Long.MIN_VALUE), high);
    return table.get(name).kind() != Flag.Kind.INT && value < 0 ? Long.MAX_VALUE : value;
  }

  int intNumber(String name) {
    return (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, number(name)));
  }

  Duration duration(String name) {
    return GoSyntax.duration(text(name));
  }

  List<String> urls(String name) {
    String value = text(name);
    return value.isEmpty() ? List.of() : Urls.parse(value);
  }

  /** Unique strings in order. */
  List<String> strings(String name) {
    List<String> found = new ArrayList<>();
    for (String part : text(name).split(",")) {
      if (!part.isEmpty() && !found.contains(part)) {
        found.add(part);
      }
    }
    found.sort(null);
    return found;
  }

  /** All feature gates, also those set by their deprecated flags. */
  Map<String, Boolean> gates() {
    Map<String, Boolean> given = new TreeMap<>(FeatureGates.parse(text("feature-gates")));
    for (Flag flag : table.all().values()) {
      if (flag.isGate() && isGiven(flag.name())) {
        given.put(flag.replacement(), bool(flag.name()));
      }
    }
    return FeatureGates.resolve(given);
  }
}
