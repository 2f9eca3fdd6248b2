package io.kvorum.operator.plan;

import io.kvorum.operator.api.KvorumClusterSpec;
import java.util.Optional;
import java.util.Set;

/** What the API server's rules cannot see of a specification: version path, options that the operator owns, secrets that do not exist, schedules. */
public final class SpecCheck {
  private static final Set<String> RESERVED = Set.of(
      "name", "data-dir", "wal-dir", "initial-cluster", "initial-cluster-state", "initial-cluster-token", "initial-advertise-peer-urls", "advertise-client-urls",
      "listen-client-urls", "listen-client-http-urls", "listen-peer-urls", "listen-metrics-urls", "discovery", "discovery-srv", "force-new-cluster",
      "force-new-cluster-id", "config-file", "quota-backend-bytes", "auto-compaction-mode", "auto-compaction-retention", "heartbeat-interval",
      "election-timeout", "client-cert-auth", "auto-tls", "peer-auto-tls");
  private static final String[] RESERVED_STARTS = {"cert-", "key-", "trusted-ca-", "client-cert-", "peer-"};

  private SpecCheck() {}

  /** Reasons of the condition SpecAccepted. */
  public enum Reason {
    UNSUPPORTED_VERSION_PATH,
    RESERVED_OPTION,
    MISSING_SECRET,
    INVALID_SCHEDULE
  }

  /** Why a specification is not carried out. */
  public record Refusal(Reason reason, String message) {}

  /** The first thing that is wrong; empty when the specification can be carried out. */
  public static Optional<Refusal> check(Situation situation) {
    KvorumClusterSpec spec = situation.spec();
    String agreed = situation.status().version() == null ? "" : situation.status().version().cluster();
    Optional<String> path = VersionPath.refusal(agreed == null ? "" : agreed, spec.version());
    if (path.isPresent()) {
      return Optional.of(new Refusal(Reason.UNSUPPORTED_VERSION_PATH, path.get()));
    }
    Optional<String> reserved = spec.config().keySet().stream().sorted().filter(SpecCheck::reserved).findFirst();
    if (reserved.isPresent()) {
      return Optional.of(new Refusal(Reason.RESERVED_OPTION, "config." + reserved.get() + " belongs to the operator"));
    }
    Optional<String> schedule = Schedules.problem(spec);
    if (schedule.isPresent()) {
      return Optional.of(new Refusal(Reason.INVALID_SCHEDULE, schedule.get()));
    }
    return situation.facts().missingSecrets().stream().findFirst().map(name -> new Refusal(Reason.MISSING_SECRET, "secret " + name + " does not exist"));
  }

  private static boolean reserved(String option) {
    for (String start : RESERVED_STARTS) {
      if (option.startsWith(start)) {
        return true;
      }
    }
    return RESERVED.contains(option);
  }
}
