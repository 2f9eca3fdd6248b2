package io.kvorum.operator.metrics;

import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumClusterStatus.Phase;
import io.kvorum.operator.engine.ClusterEngine.Outcome;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;

/**
 * Counts what passes do, a cluster each: {@code kvorum_operator_*} with the labels namespace and cluster.
 *
 * <p>Bounds: {@link #CLUSTERS_MAX} clusters have series of their own, those that come later have none until others go; other labels have the values of closed
 * sets. A cluster's series go with it. Safe for several threads; of one cluster, one pass at a time.
 */
public final class ClusterMetrics {
  /** Clusters with series of their own. */
  public static final int CLUSTERS_MAX = 500;

  private static final String PREFIX = "kvorum.operator.";

  private final MeterRegistry registry;
  private final Map<Id, One> clusters = new ConcurrentHashMap<>();

  private record Id(String namespace, String name) {}

  public ClusterMetrics(MeterRegistry registry) {
    this.registry = registry;
    Gauge.builder(PREFIX + "clusters", clusters, Map::size).description("Clusters that have series of their own.").register(registry);
  }

  /** A pass has ended. */
  public void passed(String namespace, String name, Outcome outcome, Duration took) {
    One one = of(namespace, name);
    if (one == null) {
      return;
    }
    one.shows(outcome.status());
    one.pass(outcome.failure().isEmpty() ? "done" : "no_effect", took);
    outcome.plan().action().ifPresent(action -> one.count("actions", "Actions that were carried out.", "action", action.getClass().getSimpleName()));
    if (!outcome.plan().progress().guard().isEmpty()) {
      one.count("blocked", "Passes that a guard held back.", "guard", outcome.plan().progress().guard());
    }
  }

  /** A pass has ended with an error. */
  public void failed(String namespace, String name, Duration took) {
    One one = of(namespace, name);
    if (one != null) {
      one.pass("error", took);
    }
  }

  /** The cluster is gone. */
  public void forget(String namespace, String name) {
    One one = clusters.remove(new Id(namespace, name));
    if (one != null) {
      one.remove();
    }
  }

  private One of(String namespace, String name) {
    Id id = new Id(namespace, name);
    One known = clusters.get(id);
    if (known != null || clusters.size() >= CLUSTERS_MAX) {
      return known;
    }
    return clusters.computeIfAbsent(id, missing -> new One(missing));
  }

  /** The series of one cluster. */
  private final class One {
    private final Tags tags;
    private final Map<String, Meter> meters = new HashMap<>();
    private volatile KvorumClusterStatus status = KvorumClusterStatus.EMPTY;

    private One(Id id) {
      tags = Tags.of("namespace", id.namespace(), "cluster", id.name());
      for (Phase phase : Phase.values()) {
        gauge("cluster.phase", "1 for the phase that the cluster is in.", Tag.of("phase", text(phase)), now -> now.phase() == phase ? 1 : 0);
      }
      gauge("cluster.voters", "Members that vote.", null, now -> now.quorum() == null ? 0 : now.quorum().voters());
      gauge("cluster.healthy_voters", "Members that vote and are healthy.", null, now -> now.quorum() == null ? 0 : now.quorum().healthyVoters());
      gauge("cluster.learners", "Members that do not vote yet.", null, now -> now.quorum() == null ? 0 : now.quorum().learners());
      gauge("cluster.fault_tolerance", "Healthy voters that may fail now.", null, now -> now.quorum() == null ? 0 : now.quorum().faultTolerance());
      gauge("cluster.quota_used_percent", "Of the database's quota, in use.", null, now -> now.storage() == null ? 0 : now.storage().quotaUsedPercent());
    }

    private void shows(KvorumClusterStatus now) {
      status = now;
      for (Condition condition : now.conditions()) {
        String type = condition.type();
        gauge("cluster.condition", "1 true, 0 false, -1 unknown.", Tag.of("condition", type), latest -> latest.condition(type).map(One::value).orElse(-1.0));
      }
    }

    private static double value(Condition condition) {
      return switch (condition.status()) {
        case TRUE -> 1;
        case FALSE -> 0;
        case UNKNOWN -> -1;
      };
    }

    private void gauge(String name, String description, Tag tag, ToDoubleFunction<KvorumClusterStatus> value) {
      meters.computeIfAbsent(
          name + tag,
          missing ->
              Gauge.builder(PREFIX + name, this, one -> value.applyAsDouble(one.status)).description(description)
                  .tags(tag == null ? tags : tags.and(tag)).register(registry));
    }

    private void pass(String result, Duration took) {
      count("passes", "Passes over the cluster by what came of them.", "result", result);
      Meter timer =
          meters.computeIfAbsent(
              "pass", missing -> Timer.builder(PREFIX + "pass").description("How long passes take.").tags(tags).register(registry));
      ((Timer) timer).record(took);
    }

    private void count(String name, String description, String label, String value) {
      Meter counter =
          meters.computeIfAbsent(
              name + value,
              missing -> Counter.builder(PREFIX + name).description(description).tags(tags.and(label, value)).register(registry));
      ((Counter) counter).increment();
    }

    private void remove() {
      meters.values().forEach(registry::remove);
    }
  }

  private static String text(Phase phase) {
    StringBuilder text = new StringBuilder();
    for (String word : phase.name().split("_")) {
      text.append(word.charAt(0)).append(word.substring(1).toLowerCase(Locale.ROOT));
    }
    return text.toString();
  }
}
