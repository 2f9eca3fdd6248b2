package io.kvorum.operator.desired;

import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudgetBuilder;
import io.kvorum.operator.api.KvorumCluster;
import java.util.Map;
import java.util.Optional;

/** How many voters others may evict. */
public final class Budget {
  private Budget() {}

  /**
   * Keeps a majority of the voters; learners do not count. One voter has no budget: it would only block the drain of its node.
   *
   * @param voters voters that the cluster has now
   */
  public static Optional<PodDisruptionBudget> of(KvorumCluster cluster, int voters) {
    if (voters < 2) {
      return Optional.empty();
    }
    String name = cluster.getMetadata().getName();
    return Optional.of(
        new PodDisruptionBudgetBuilder()
            .withNewMetadata()
            .withName(name)
            .withNamespace(cluster.getMetadata().getNamespace())
            .withLabels(Names.labels(name))
            .endMetadata()
            .withNewSpec()
            .withNewMinAvailable(voters / 2 + 1)
            .withUnhealthyPodEvictionPolicy("AlwaysAllow")
            .withNewSelector()
            .withMatchLabels(Map.of(Names.CLUSTER, name, Names.ROLE, Names.VOTER))
            .endSelector()
            .endSpec()
            .build());
  }
}
