package io.kvorum.operator.desired;

import io.fabric8.kubernetes.api.model.TopologySpreadConstraint;
import io.fabric8.kubernetes.api.model.TopologySpreadConstraintBuilder;
import io.kvorum.operator.api.KvorumCluster;
import java.util.List;
import java.util.Map;

/** Where the scheduler puts members when the user said nothing: zones apart if it can be, hosts apart always when asked. */
final class Spread {
  private Spread() {}

  static List<TopologySpreadConstraint> constraints(KvorumCluster cluster, boolean hostsRequired) {
    List<TopologySpreadConstraint> own = cluster.getSpec().podTemplate().topologySpreadConstraints();
    if (!own.isEmpty()) {
      return own;
    }
    String name = cluster.getMetadata().getName();
    return List.of(constraint(name, "topology.kubernetes.io/zone", false), constraint(name, "kubernetes.io/hostname", hostsRequired));
  }

  private static TopologySpreadConstraint constraint(String cluster, String key, boolean required) {
    return new TopologySpreadConstraintBuilder()
        .withMaxSkew(1)
        .withTopologyKey(key)
        .withWhenUnsatisfiable(required ? "DoNotSchedule" : "ScheduleAnyway")
        .withNodeTaintsPolicy("Honor")
        .withNewLabelSelector()
        .withMatchLabels(Map.of(Names.CLUSTER, cluster))
        .endLabelSelector()
        .build();
  }
}
