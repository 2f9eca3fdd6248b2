package io.kvorum.operator;

import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.Mappers;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.runtime.kubernetes.BackupCaches;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** What wakes the reconcilers of backups and schedules, and the caches behind it. Jobs are watched by their label, so that nobody else's are kept. */
public final class BackupInformers implements BackupCaches {
  private volatile IndexerResourceCache<KvorumBackup> backups;
  private volatile IndexerResourceCache<KvorumBackupSchedule> schedules;
  private volatile InformerEventSource<Job, KvorumBackup> jobs;

  List<EventSource<?, KvorumBackup>> ofBackups(EventSourceContext<KvorumBackup> context) {
    backups = context.getPrimaryCache();
    jobs =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(Job.class, KvorumBackup.class)
                .withLabelSelector(Names.BACKUP_JOB)
                .withSecondaryToPrimaryMapper(Mappers.fromOwnerReferences(KvorumBackup.class))
                .withNamespacesInheritedFromController()
                .build(),
            context);
    return List.of(jobs);
  }

  /** A schedule is woken by the backups of its cluster: its own runs, and those that keep it from beginning one. */
  List<EventSource<?, KvorumBackupSchedule>> ofSchedules(EventSourceContext<KvorumBackupSchedule> context) {
    schedules = context.getPrimaryCache();
    return List.of(
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(KvorumBackup.class, KvorumBackupSchedule.class)
                .withSecondaryToPrimaryMapper(this::schedulesOf)
                .withNamespacesInheritedFromController()
                .build(),
            context));
  }

  private Set<ResourceID> schedulesOf(KvorumBackup backup) {
    return schedules
        .list(backup.getMetadata().getNamespace(), schedule -> schedule.getSpec().clusterRef().equals(backup.getSpec().clusterRef()))
        .map(ResourceID::fromResource)
        .collect(Collectors.toSet());
  }

  @Override
  public List<KvorumBackup> backups(String namespace) {
    return backups.list(namespace, backup -> true).toList();
  }

  @Override
  public List<KvorumBackupSchedule> schedules(String namespace) {
    return schedules.list(namespace, schedule -> true).toList();
  }

  @Override
  public List<Job> jobs(KvorumBackup backup) {
    return jobs.list(
            backup.getMetadata().getNamespace(),
            job -> job.getMetadata().getOwnerReferences().stream().anyMatch(owner -> owner.getUid().equals(backup.getMetadata().getUid())))
        .toList();
  }
}
