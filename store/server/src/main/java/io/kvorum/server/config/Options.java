package io.kvorum.server.config;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The options that were given, whatever way they came: by the current names of their flags, as the texts that the flags would be given.
 *
 * @param given values by name; none of them empty
 */
public record Options(SortedMap<String, String> given) {
  /** What a running member can take over. An option that has no effect here has none after a change either, and counts as taken over. */
  private static final Set<String> RELOADABLE =
      Set.of(
          "auto-compaction-mode", "auto-compaction-retention", "compact-hash-check-time", "corrupt-check-time", "log-level", "max-learners",
          "max-txn-ops", "quota-backend-bytes", "warning-apply-duration", "warning-unary-request-duration");

  /** About the command line itself; and what carries a password, which has no effect here and must not be told. */
  private static final Set<String> NO_OPTIONS = Set.of("config-file", "version", "discovery-user", "discovery-password");

  private static final String GATES = "feature-gates";

  public Options {
    given = Collections.unmodifiableSortedMap(new TreeMap<>(given));
  }

  /**
   * One option whose value differs.
   *
   * @param before empty when it was not given
   * @param after empty when it is not given
   */
  public record Change(String name, String before, String after) {}

  static Options of(FlagTable table, FlagValues values) {
    TreeMap<String, String> given = new TreeMap<>();
    TreeMap<String, Boolean> gates = new TreeMap<>(FeatureGates.parse(values.givenText(GATES)));
    for (String name : values.names()) {
      Flag flag = table.get(name);
      if (flag.isGate()) {
        gates.put(flag.replacement(), GoSyntax.bool(values.givenText(name)));
      } else if (flag.kind() != Flag.Kind.IGNORED && !NO_OPTIONS.contains(name) && !name.equals(GATES)) {
        put(given, flag.replacement() == null ? name : flag.replacement(), canonical(flag, values.givenText(name)));
      }
    }
    put(given, GATES, gates.entrySet().stream().map(gate -> gate.getKey() + "=" + gate.getValue()).collect(Collectors.joining(",")));
    return new Options(given);
  }

  private static void put(Map<String, String> given, String name, String value) {
    if (!value.isEmpty()) {
      given.put(name, value);
    }
  }

  private static String canonical(Flag flag, String text) {
    return flag.kind() == Flag.Kind.BOOL ? String.valueOf(GoSyntax.bool(text)) : text;
  }

  /** Lowercase hex SHA-256 over the lines {@code name=value}, sorted by name, each with a line feed behind it. */
  public String hash() {
    StringBuilder lines = new StringBuilder();
    given.forEach((name, value) -> lines.append(name).append('=').append(value).append('\n'));
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(lines.toString().getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256", e);
    }
  }

  /** What differs in others, sorted by name. */
  public List<Change> changesTo(Options others) {
    Set<String> names = new TreeSet<>(given.keySet());
    names.addAll(others.given.keySet());
    List<Change> changes = new ArrayList<>();
    for (String name : names) {
      Change change = new Change(name, given.getOrDefault(name, ""), others.given.getOrDefault(name, ""));
      if (!change.before.equals(change.after)) {
        changes.add(change);
      }
    }
    return changes;
  }

  static boolean isReloadable(Flag flag) {
    return RELOADABLE.contains(flag.name()) || flag.effect() == Flag.Effect.NO_EFFECT;
  }

  Options with(List<Change> changes) {
    TreeMap<String, String> next = new TreeMap<>(given);
    for (Change change : changes) {
      if (change.after.isEmpty()) {
        next.remove(change.name);
      } else {
        next.put(change.name, change.after);
      }
    }
    return new Options(next);
  }
}
