package io.kvorum.server.config;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** etcd's named features. */
final class FeatureGates {
  static final Map<String, Boolean> DEFAULTS =
      Map.of(
          "AllAlpha", false,
          "AllBeta", false,
          "StopGRPCServiceOnDefrag", false,
          "InitialCorruptCheck", false,
          "CompactHashCheck", false,
          "LeaseCheckpoint", false,
          "LeaseCheckpointPersist", false,
          "SetMemberLocalAddr", false,
          "TxnModeWriteWithSharedBuffer", true);

  private static final Set<String> BETA = Set.of("TxnModeWriteWithSharedBuffer");
  private static final String ALL_ALPHA = "AllAlpha";
  private static final String ALL_BETA = "AllBeta";

  private FeatureGates() {}

  /** All gates: the given ones, then what {@code AllAlpha} and {@code AllBeta} say of their stage, then the defaults. */
  static Map<String, Boolean> resolve(Map<String, Boolean> given) {
    Map<String, Boolean> gates = new TreeMap<>(DEFAULTS);
    for (String name : DEFAULTS.keySet()) {
      Boolean all = given.get(BETA.contains(name) ? ALL_BETA : ALL_ALPHA);
      if (all != null && !name.equals(ALL_ALPHA) && !name.equals(ALL_BETA)) {
        gates.put(name, all);
      }
    }
    gates.putAll(given);
    return gates;
  }

  /**
   * Reads {@code Name=true,Other=false}.
   *
   * @throws IllegalArgumentException with etcd's text
   */
  static Map<String, Boolean> parse(String text) {
    Map<String, Boolean> gates = new TreeMap<>();
    for (String part : text.split(",")) {
      String pair = part.strip();
      if (pair.isEmpty()) {
        continue;
      }
      int equals = pair.indexOf('=');
      if (equals < 0) {
        throw new IllegalArgumentException("missing bool value for " + pair);
      }
      String name = pair.substring(0, equals).strip();
      String value = pair.substring(equals + 1).strip();
      Boolean on = GoSyntax.bool(value);
      if (on == null) {
        throw new IllegalArgumentException("invalid value of " + name + "=" + value + ", err: strconv.ParseBool: parsing " + GoSyntax.quote(value) + ": invalid syntax");
      }
      if (!DEFAULTS.containsKey(name)) {
        throw new IllegalArgumentException("unrecognized feature gate: " + name);
      }
      gates.put(name, on);
    }
    return gates;
  }
}
