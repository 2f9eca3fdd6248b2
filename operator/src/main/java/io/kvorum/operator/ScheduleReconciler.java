package io.kvorum.operator;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.backup.SchedulePlan;
import io.kvorum.operator.backup.SchedulePlanner;
import io.kvorum.operator.runtime.kubernetes.BackupRuntime;
import java.time.Duration;
import java.util.List;

/** One pass over a schedule for each event of it, of the backups of its cluster, or of time: observe, plan, act, write the status. */
@ControllerConfiguration(name = "kvorumbackupschedule")
public final class ScheduleReconciler implements Reconciler<KvorumBackupSchedule> {
  private final BackupInformers informers;
  private final BackupRuntime runtime;
  private final SchedulePlanner planner = new SchedulePlanner();

  public ScheduleReconciler(BackupInformers informers, BackupRuntime runtime) {
    this.informers = informers;
    this.runtime = runtime;
  }

  @Override
  public List<EventSource<?, KvorumBackupSchedule>> prepareEventSources(EventSourceContext<KvorumBackupSchedule> context) {
    return informers.ofSchedules(context);
  }

  @Override
  public UpdateControl<KvorumBackupSchedule> reconcile(KvorumBackupSchedule schedule, Context<KvorumBackupSchedule> context) {
    return UpdateControl.<KvorumBackupSchedule>noUpdate().rescheduleAfter(pass(schedule));
  }

  private Duration pass(KvorumBackupSchedule schedule) {
    try {
      SchedulePlan plan = planner.plan(runtime.observe(schedule));
      // A run has the name of its moment: made again after a crash it is the same one.
      plan.action().ifPresent(action -> runtime.execute(action, schedule));
      runtime.write(schedule, plan.status());
      runtime.publish(plan.events(), schedule);
      return plan.requeueAfter();
    } catch (KubernetesClientException e) {
      if (!BackupReconciler.lost(e)) {
        throw e;
      }
      return BackupReconciler.AFTER_CONFLICT;
    }
  }
}
