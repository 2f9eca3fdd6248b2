package io.kvorum.operator.runtime.kubernetes;

import io.fabric8.kubernetes.api.model.DeletionPropagation;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.api.KvorumBackupScheduleStatus;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.backup.BackupAction;
import io.kvorum.operator.backup.BackupObservation;
import io.kvorum.operator.backup.JobState;
import io.kvorum.operator.backup.ScheduleObservation;
import io.kvorum.operator.desired.BackupJob;
import io.kvorum.operator.desired.Defaults;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.runtime.Owners;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/** What backups and schedules are made of on Kubernetes: their own objects, Jobs, and the pods that leave results. Safe for several threads. */
public final class BackupRuntime {
  /** Label by which the Job controller marks pods. */
  private static final String JOB_NAME = "batch.kubernetes.io/job-name";

  private final KubernetesClient client;
  private final BackupCaches caches;
  private final Defaults defaults;
  private final Clock clock;
  private final Writes writes;
  private final EventPublisher events;

  public BackupRuntime(KubernetesRuntime.Installation installation, BackupCaches caches) {
    this.client = installation.client();
    this.caches = caches;
    this.defaults = installation.defaults();
    this.clock = installation.clock();
    this.writes = new Writes(client);
    this.events = new EventPublisher(client, clock, installation.instance());
  }

  /** All that the plan of a backup follows from. */
  public BackupObservation observe(KvorumBackup backup) {
    String namespace = backup.getMetadata().getNamespace();
    boolean deleting = backup.getMetadata().getDeletionTimestamp() != null;
    List<JobState> jobs = jobs(backup, deleting).stream().map(job -> JobStates.state(job, pods(job))).toList();
    return new BackupObservation(
        clock.instant(), backup, cluster(namespace, backup.getSpec().clusterRef()), caches.backups(namespace), jobs, deleting && BackupObjects.namespaceEnds(client, namespace));
  }

  /** All that the plan of a schedule follows from. */
  public ScheduleObservation observe(KvorumBackupSchedule schedule) {
    String namespace = schedule.getMetadata().getNamespace();
    return new ScheduleObservation(
        clock.instant(), schedule, cluster(namespace, schedule.getSpec().clusterRef()), caches.backups(namespace), caches.schedules(namespace));
  }

  /** While something is under way a Job that was made a moment ago must be seen; of all the others it is enough to see them some time. */
  private List<Job> jobs(KvorumBackup backup, boolean deleting) {
    if (!deleting && backup.known().phase().isFinal() && backup.known().job().isEmpty()) {
      return caches.jobs(backup);
    }
    return client.batch().v1().jobs().inNamespace(backup.getMetadata().getNamespace()).withLabels(BackupJob.selector(backup.getMetadata().getName())).list()
        .getItems().stream()
        .filter(job -> job.getMetadata().getDeletionTimestamp() == null && Owners.isOwner(backup, job))
        .toList();
  }

  private List<Pod> pods(Job job) {
    return client.pods().inNamespace(job.getMetadata().getNamespace()).withLabel(JOB_NAME, job.getMetadata().getName()).list().getItems();
  }

  private Optional<KvorumCluster> cluster(String namespace, String name) {
    return Optional.ofNullable(client.resources(KvorumCluster.class).inNamespace(namespace).withName(name).get());
  }

  /** Writes the status when it differs from what was read; a concurrent change makes it fail and ends the pass. */
  public void write(KvorumBackup backup, KvorumBackupStatus status) {
    if (!status.equals(backup.getStatus())) {
      KvorumBackup changed = new KvorumBackup();
      changed.setMetadata(backup.getMetadata());
      changed.setSpec(backup.getSpec());
      changed.setStatus(status);
      client.resource(changed).updateStatus();
    }
  }

  /** Writes the status when it differs from what was read; a concurrent change makes it fail and ends the pass. */
  public void write(KvorumBackupSchedule schedule, KvorumBackupScheduleStatus status) {
    if (!status.equals(schedule.getStatus())) {
      KvorumBackupSchedule changed = new KvorumBackupSchedule();
      changed.setMetadata(schedule.getMetadata());
      changed.setSpec(schedule.getSpec());
      changed.setStatus(status);
      client.resource(changed).updateStatus();
    }
  }

  public void publish(List<PlannedEvent> planned, HasMetadata about) {
    planned.forEach(event -> events.publish(event, about));
  }

  /** A Job can be made: its image is known, from the cluster or from what was taken of one that is gone. */
  public boolean canRun(BackupObservation seen) {
    return seen.cluster().isPresent() || StandIn.of(seen).isPresent();
  }

  /** Carries out what the plan of a backup wants; {@link BackupAction.Release} is the reconciler's. */
  public void execute(BackupAction action, BackupObservation seen) {
    KvorumBackup backup = seen.backup();
    switch (action) {
      case BackupAction.CreateJob create -> writes.create(job(create, seen));
      case BackupAction.DeleteJob delete -> client.batch().v1().jobs().inNamespace(backup.getMetadata().getNamespace()).withName(delete.name())
          .withPropagationPolicy(DeletionPropagation.BACKGROUND).delete();
      case BackupAction.CreateBackup create -> BackupObjects.create(writes, backup.getMetadata().getNamespace(), create);
      case BackupAction.DeleteBackup delete -> BackupObjects.delete(client, backup.getMetadata().getNamespace(), delete);
      case BackupAction.Release release -> {
        // The framework takes the finalizer off.
      }
    }
  }

  private Job job(BackupAction.CreateJob create, BackupObservation seen) {
    KvorumBackup backup = seen.backup();
    KvorumCluster cluster = seen.cluster().or(() -> StandIn.of(seen)).orElseThrow(() -> new IllegalStateException("no image is known for " + create.name()));
    BackupJob.Run run =
        new BackupJob.Run(create.name(), backup.getMetadata().getName(), create.id(), create.storage(), create.deadline(), Owners.controlledBy(backup));
    return switch (create.kind()) {
      case BACKUP -> BackupJob.backup(cluster, defaults, run, create.source(), create.type(), create.bytesPerSecond());
      case VERIFY -> BackupJob.verify(cluster, defaults, run);
      case DELETE -> BackupJob.delete(cluster, defaults, run);
    };
  }

  /** Carries out what the plan of a schedule wants. */
  public void execute(BackupAction action, KvorumBackupSchedule schedule) {
    String namespace = schedule.getMetadata().getNamespace();
    switch (action) {
      case BackupAction.CreateBackup create -> BackupObjects.create(writes, namespace, create);
      case BackupAction.DeleteBackup delete -> BackupObjects.delete(client, namespace, delete);
      case BackupAction.CreateJob create -> throw new IllegalStateException("a schedule makes no Job " + create.name());
      case BackupAction.DeleteJob delete -> throw new IllegalStateException("a schedule has no Job " + delete.name());
      case BackupAction.Release release -> throw new IllegalStateException("a schedule has no finalizer");
    }
  }
}
