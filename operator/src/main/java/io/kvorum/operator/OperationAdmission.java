package io.kvorum.operator;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationStatus;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;

/**
 * Rejects operations about clusters that do not exist, and deletes those that finished long enough ago. Everything between is the cluster's: its reconciler alone
 * acts.
 */
@ControllerConfiguration(name = "kvorumoperation")
public final class OperationAdmission implements Reconciler<KvorumOperation> {
  /** A cluster may be applied in the same breath as the operation about it. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final Clock clock;

  public OperationAdmission(Clock clock) {
    this.clock = clock;
  }

  @Override
  public UpdateControl<KvorumOperation> reconcile(KvorumOperation operation, Context<KvorumOperation> context) {
    KvorumOperationStatus status = operation.getStatus() == null ? KvorumOperationStatus.EMPTY : operation.getStatus();
    if (status.phase().isFinal()) {
      return expire(operation, status, context.getClient());
    }
    boolean exists =
        context.getClient()
                .resources(KvorumCluster.class)
                .inNamespace(operation.getMetadata().getNamespace())
                .withName(operation.getSpec().clusterRef())
                .get()
            != null;
    if (exists) {
      return UpdateControl.<KvorumOperation>noUpdate().rescheduleAfter(Duration.ofMinutes(1));
    }
    Duration age = Duration.between(Instant.parse(operation.getMetadata().getCreationTimestamp()), clock.instant());
    if (age.compareTo(PATIENCE) < 0) {
      return UpdateControl.<KvorumOperation>noUpdate().rescheduleAfter(PATIENCE);
    }
    operation.setStatus(
        new KvorumOperationStatus(
            KvorumOperationStatus.Phase.REJECTED, status.type(), status.step(), status.startedAt(), Api.time(clock.instant()),
            "there is no KvorumCluster " + operation.getSpec().clusterRef()));
    return UpdateControl.patchStatus(operation).rescheduleAfter(Duration.ofSeconds(operation.getSpec().ttlSecondsAfterFinished()));
  }

  private UpdateControl<KvorumOperation> expire(KvorumOperation operation, KvorumOperationStatus status, KubernetesClient client) {
    Instant finished = Api.time(status.finishedAt()).orElse(clock.instant());
    Duration left = Duration.between(clock.instant(), finished.plusSeconds(operation.getSpec().ttlSecondsAfterFinished()));
    if (left.isPositive()) {
      return UpdateControl.<KvorumOperation>noUpdate().rescheduleAfter(left);
    }
    client.resource(operation).delete();
    return UpdateControl.noUpdate();
  }
}
