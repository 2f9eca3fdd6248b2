package io.kvorum.server.config;

import io.kvorum.server.config.Parsed.Notice;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** Lays ETCD_* variables over the flags that were not given. */
final class Environment {
  private static final String PREFIX = "ETCD_";

  private final FlagTable table;
  private final Map<String, String> variables;

  Environment(FlagTable table, Map<String, String> variables) {
    this.table = table;
    this.variables = new TreeMap<>(variables);
  }

  String get(String name) {
    return variables.getOrDefault(name, "");
  }

  /**
   * Applies the variables.
   *
   * @param notices receives a line for each that was used or is unknown
   * @throws ConfigException when a value does not fit, or a variable is shadowed by a flag
   */
  void apply(FlagValues values, List<Notice> notices) throws ConfigException {
    if (!get("ETCD_VERSION").isEmpty()) {
      notices.add(Notice.warn("cannot set special environment variable", "key", "ETCD_VERSION", "value", get("ETCD_VERSION")));
    }
    variables.remove("ETCD_VERSION");
    Set<String> shadowed = new HashSet<>();
    for (String name : values.names()) {
      shadowed.add(table.get(name).environment());
    }
    Set<String> used = new HashSet<>();
    for (Flag flag : table.all().values()) {
      String key = flag.environment();
      String value = get(key);
      if (value.isEmpty() || shadowed.contains(key)) {
        continue;
      }
      used.add(key);
      try {
        values.set(flag, value);
      } catch (IllegalArgumentException e) {
        throw new ConfigException("invalid value " + GoSyntax.quote(value) + " for " + key + ": " + e.getMessage());
      }
      notices.add(Notice.info("recognized and used environment variable", "variable-name", key, "variable-value", value));
    }
    for (Map.Entry<String, String> variable : variables.entrySet()) {
      if (used.contains(variable.getKey())) {
        continue;
      }
      if (shadowed.contains(variable.getKey())) {
        throw new ConfigException(
            Notice.fatal(
                "conflicting environment variable is shadowed by corresponding command-line flag (either unset environment variable or disable flag))",
                "environment-variable",
                variable.getKey()));
      }
      if (variable.getKey().startsWith(PREFIX)) {
        notices.add(Notice.warn("unrecognized environment variable", "environment-variable", variable.getKey() + "=" + variable.getValue()));
      }
    }
  }
}
