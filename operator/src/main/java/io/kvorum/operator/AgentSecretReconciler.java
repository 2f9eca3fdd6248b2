package io.kvorum.operator;

import io.fabric8.kubernetes.api.model.Secret;
import io.javaoperatorsdk.operator.api.config.informer.Informer;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.kvorum.operator.runtime.kubernetes.OrphanedSecrets;
import io.kvorum.operator.workload.AgentSecret;

/** Secrets of workloads whose cluster is gone: kept as long as the workload may come back to a cluster of that name, so that passwords stay, and deleted with it. */
@ControllerConfiguration(name = "kvorumagentsecret", informer = @Informer(labelSelector = AgentSecret.CLUSTER), generationAwareEventProcessing = false)
public final class AgentSecretReconciler implements Reconciler<Secret> {
  private final OrphanedSecrets orphans;

  public AgentSecretReconciler(OrphanedSecrets orphans) {
    this.orphans = orphans;
  }

  @Override
  public UpdateControl<Secret> reconcile(Secret secret, Context<Secret> context) {
    orphans.deleteIfOver(secret);
    return UpdateControl.noUpdate();
  }
}
