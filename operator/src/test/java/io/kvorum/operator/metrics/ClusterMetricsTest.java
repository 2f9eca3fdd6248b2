package io.kvorum.operator.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumClusterStatus.Memory;
import io.kvorum.operator.api.KvorumClusterStatus.Phase;
import io.kvorum.operator.api.KvorumClusterStatus.Quorum;
import io.kvorum.operator.engine.ClusterEngine.Outcome;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Plan;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ClusterMetricsTest {
  private static final Duration TOOK = Duration.ofMillis(20);

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final ClusterMetrics metrics = new ClusterMetrics(registry);

  private static Outcome outcome(Phase phase, int healthy, Action action, String guard, String failure) {
    Plan plan =
        new Plan(
            "Rung", Optional.ofNullable(action), Optional.empty(), new Plan.Progress(Plan.Reason.BLOCKED, guard, ""), 1, 1, Memory.EMPTY, Map.of(), Map.of(),
            List.of(), Duration.ofSeconds(1));
    KvorumClusterStatus status =
        new KvorumClusterStatus(
            1L, phase, "", 3, "", "c1", null, null, new Quorum(3, healthy, 1, 2, healthy - 2), null, null, 3, "", null, null, null, null,
            List.of(new Condition("Ready", healthy == 3 ? Condition.Status.TRUE : Condition.Status.FALSE, "Because", "", "", 1L)), Memory.EMPTY);
    return new Outcome(plan, failure, status);
  }

  private double gauge(String name, String label, String value) {
    return registry.get("kvorum.operator." + name).tags("cluster", "kv").tags(label, value).gauge().value();
  }

  private double count(String name, String label, String value) {
    return registry.get("kvorum.operator." + name).tags("namespace", "shop", "cluster", "kv", label, value).counter().count();
  }

  @Test
  void aPassShowsTheClusterAndIsCounted() {
    metrics.passed("shop", "kv", outcome(Phase.UPDATING, 2, new Action.DeletePod("kv-0", "uid", "why"), "", ""), TOOK);
    metrics.passed("shop", "kv", outcome(Phase.DEGRADED, 2, null, "G6", ""), TOOK);
    metrics.passed("shop", "kv", outcome(Phase.RUNNING, 3, new Action.DeletePod("kv-1", "uid", "why"), "", "no answer"), TOOK);
    metrics.failed("shop", "kv", TOOK);
    assertThat(gauge("cluster.phase", "phase", "Running")).isEqualTo(1);
    assertThat(gauge("cluster.phase", "phase", "Updating")).isZero();
    assertThat(gauge("cluster.phase", "phase", "QuorumLost")).isZero();
    assertThat(gauge("cluster.healthy_voters", "namespace", "shop")).isEqualTo(3);
    assertThat(gauge("cluster.fault_tolerance", "namespace", "shop")).isEqualTo(1);
    assertThat(gauge("cluster.condition", "condition", "Ready")).isEqualTo(1);
    assertThat(count("passes", "result", "done")).isEqualTo(2);
    assertThat(count("passes", "result", "no_effect")).isEqualTo(1);
    assertThat(count("passes", "result", "error")).isEqualTo(1);
    assertThat(count("actions", "action", "DeletePod")).isEqualTo(2);
    assertThat(count("blocked", "guard", "G6")).isEqualTo(1);
    assertThat(registry.get("kvorum.operator.pass").tags("cluster", "kv").timer().count()).isEqualTo(4);
  }

  @Test
  void aClustersSeriesGoWithIt() {
    int without = registry.getMeters().size();
    metrics.passed("shop", "kv", outcome(Phase.RUNNING, 3, null, "G1", ""), TOOK);
    assertThat(registry.getMeters().size()).isGreaterThan(without + 15);
    metrics.forget("shop", "kv");
    assertThat(registry.getMeters()).hasSize(without);
    metrics.forget("shop", "kv");
  }

  @Test
  void thereIsABoundOfClustersAndRoomWhenOneGoes() {
    for (int i = 0; i < ClusterMetrics.CLUSTERS_MAX; i++) {
      metrics.failed("shop", "kv-" + i, TOOK);
    }
    int full = registry.getMeters().size();
    metrics.failed("shop", "late", TOOK);
    assertThat(registry.getMeters()).hasSize(full);
    assertThat(registry.get("kvorum.operator.clusters").gauge().value()).isEqualTo(ClusterMetrics.CLUSTERS_MAX);
    metrics.forget("shop", "kv-7");
    metrics.failed("shop", "late", TOOK);
    assertThat(registry.getMeters()).hasSize(full);
    assertThat(registry.get("kvorum.operator.passes").tags("cluster", "late").counter().count()).isEqualTo(1);
  }
}
