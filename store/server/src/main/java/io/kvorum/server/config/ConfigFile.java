package io.kvorum.server.config;

import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.YAMLException;

/** etcd's YAML configuration file: keys are names of flags, TLS settings stand in two sections, unknown keys are ignored. */
final class ConfigFile {
  private static final Map<String, String> SECTION_PREFIX = Map.of("client-transport-security", "", "peer-transport-security", "peer-");
  private static final Map<String, String> CLIENT_NAMES = Map.of("allowed-hostname", "client-cert-allowed-hostname");
  private static final Map<String, String> PEER_NAMES = Map.of("allowed-cn", "peer-cert-allowed-cn", "allowed-hostname", "peer-cert-allowed-hostname");

  /** Flags that are no keys of the file: etcd passes over them there, and its own sample names one with a value that the flag would refuse. */
  private static final Set<String> FLAGS_ALONE = Set.of("discovery-fallback", "config-file", "version");

  private final FlagTable table;

  ConfigFile(FlagTable table) {
    this.table = table;
  }

  /** Reads the text of a file into {@code values}. */
  void read(String yaml, FlagValues values) throws ConfigException {
    Object root;
    try {
      root = new Yaml(new SafeConstructor(new LoaderOptions())).load(yaml);
    } catch (YAMLException e) {
      throw new ConfigException("error converting YAML to JSON: yaml: " + e.getMessage().lines().findFirst().orElse(""));
    }
    if (root == null) {
      return;
    }
    if (!(root instanceof Map<?, ?> map)) {
      throw new ConfigException("error unmarshaling JSON: the file is not a mapping");
    }
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      String key = String.valueOf(entry.getKey());
      if (SECTION_PREFIX.containsKey(key)) {
        section(key, entry.getValue(), values);
      } else if (key.equals("socket-options") && entry.getValue() instanceof Map<?, ?> options) {
        set(values, table.get("socket-reuse-port"), options.get("reuse-port"));
        set(values, table.get("socket-reuse-address"), options.get("reuse-address"));
      } else if (key.equals("discovery-config") && entry.getValue() instanceof Map<?, ?> discovery) {
        set(values, table.get("discovery-token"), discovery.get("token"));
        if (discovery.get("client") instanceof Map<?, ?> client) {
          set(values, table.get("discovery-endpoints"), client.get("endpoints"));
        }
      } else if (!FLAGS_ALONE.contains(key)) {
        String name = key.equals("experimental-snapshot-catch-up-entries") ? "experimental-snapshot-catchup-entries" : key;
        set(values, table.get(name), entry.getValue());
      }
    }
  }

  private void section(String section, Object content, FlagValues values) throws ConfigException {
    if (content == null) {
      return;
    }
    if (!(content instanceof Map<?, ?> map)) {
      throw new ConfigException("invalid " + section);
    }
    Map<String, String> names = section.startsWith("peer") ? PEER_NAMES : CLIENT_NAMES;
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      String key = String.valueOf(entry.getKey());
      set(values, table.get(names.getOrDefault(key, SECTION_PREFIX.get(section) + key)), entry.getValue());
    }
  }

  private static void set(FlagValues values, Flag flag, Object content) throws ConfigException {
    if (flag == null || content == null || flag.kind() == Flag.Kind.IGNORED) {
      return;
    }
    String text =
        switch (content) {
          case Collection<?> list -> list.stream().map(String::valueOf).collect(Collectors.joining(","));
          case Integer nanos when flag.kind() == Flag.Kind.DURATION -> nanos + "ns";
          case Long nanos when flag.kind() == Flag.Kind.DURATION -> nanos + "ns";
          case Double number when number == Math.rint(number) -> Long.toString(number.longValue());
          default -> String.valueOf(content);
        };
    // An empty string or list stands for the default, as an absent key does.
    if (text.isEmpty() || text.equals("{}")) {
      return;
    }
    try {
      values.set(flag, text);
    } catch (IllegalArgumentException e) {
      throw new ConfigException("invalid value " + GoSyntax.quote(text) + " for " + flag.name() + ": " + e.getMessage());
    }
  }
}
