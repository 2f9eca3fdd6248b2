package io.kvorum.operator;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.Cleaner;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.DeleteControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.backup.BackupAction;
import io.kvorum.operator.backup.BackupObservation;
import io.kvorum.operator.backup.BackupPlan;
import io.kvorum.operator.backup.BackupPlanner;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.runtime.kubernetes.BackupRuntime;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.List;
import java.util.logging.Level;
import java.util.logging.Logger;

/** One pass over a backup for each event of it, of its Jobs, or of time: observe, plan, write the status, act. A backup is never in two passes. */
// A verification is asked for by an annotation, which makes no new generation.
@ControllerConfiguration(name = "kvorumbackup", finalizerName = Api.FINALIZER, generationAwareEventProcessing = false)
public final class BackupReconciler implements Reconciler<KvorumBackup>, Cleaner<KvorumBackup> {
  static final Duration AFTER_CONFLICT = Duration.ofMillis(500);
  private static final Logger LOG = Logger.getLogger(BackupReconciler.class.getName());

  private final BackupInformers informers;
  private final BackupRuntime runtime;
  private final BackupPlanner planner = new BackupPlanner();

  public BackupReconciler(BackupInformers informers, BackupRuntime runtime) {
    this.informers = informers;
    this.runtime = runtime;
  }

  /** What a pass came to. */
  private record Outcome(boolean released, Duration next) {}

  @Override
  public List<EventSource<?, KvorumBackup>> prepareEventSources(EventSourceContext<KvorumBackup> context) {
    return informers.ofBackups(context);
  }

  @Override
  public UpdateControl<KvorumBackup> reconcile(KvorumBackup backup, Context<KvorumBackup> context) {
    return UpdateControl.<KvorumBackup>noUpdate().rescheduleAfter(pass(backup).next());
  }

  @Override
  public DeleteControl cleanup(KvorumBackup backup, Context<KvorumBackup> context) {
    Outcome outcome = pass(backup);
    return outcome.released() ? DeleteControl.defaultDelete() : DeleteControl.noFinalizerRemoval().rescheduleAfter(outcome.next().toMillis());
  }

  private Outcome pass(KvorumBackup backup) {
    try {
      BackupObservation seen = runtime.observe(backup);
      BackupPlan plan = planner.plan(seen);
      // A source is named before a Job reads from it, so that the cluster's own pass leaves that member alone.
      runtime.write(backup, plan.status());
      runtime.publish(plan.events(), backup);
      BackupAction action = plan.action().orElse(null);
      if (action instanceof BackupAction.CreateJob && !runtime.canRun(seen)) {
        runtime.publish(List.of(new PlannedEvent(EventReason.BACKUP_ARTEFACT_KEPT, "", "nothing is left that says which version took it")), backup);
        return new Outcome(true, plan.requeueAfter());
      }
      plan.action().ifPresent(one -> runtime.execute(one, seen));
      return new Outcome(action instanceof BackupAction.Release, plan.requeueAfter());
    } catch (KubernetesClientException e) {
      if (!lost(e)) {
        throw e;
      }
      LOG.log(Level.FINE, "{0}: somebody else wrote first, or deleted it: {1}", new Object[] {backup.getMetadata().getName(), e.getMessage()});
      return new Outcome(false, AFTER_CONFLICT);
    }
  }

  /** A race that the next pass finds decided. */
  static boolean lost(KubernetesClientException e) {
    return e.getCode() == HttpURLConnection.HTTP_CONFLICT || e.getCode() == HttpURLConnection.HTTP_NOT_FOUND;
  }
}
