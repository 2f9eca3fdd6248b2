package io.kvorum.operator.backup;

import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSpec.DeletionPolicy;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.desired.BackupJob.Kind;
import io.kvorum.operator.event.EventReason;
import java.util.Optional;

/**
 * One pass over a backup whose object is being deleted: with the policy Delete the artefact goes by a Job, once nothing builds on it any more and nothing of it is
 * under way. When no Job can do that (the namespace goes, or ten in a row failed) the artefact stays and the user is told: an object must not stay for ever.
 */
final class Removal {
  static final int ATTEMPTS = 10;
  private static final String DELETING = "Deleting";

  private final Pass pass;

  Removal(Pass pass) {
    this.pass = pass;
  }

  void plan() {
    pass.requeue = Pass.WATCHING;
    StatusDraft status = pass.status;
    // A run that was cut off may have published what nobody has read yet.
    boolean nothing = status.destination == null || (status.artefact == null && status.phase != Phase.RUNNING);
    if (pass.seen.backup().getSpec().deletionPolicy() == DeletionPolicy.RETAIN || nothing) {
      pass.act(new BackupAction.Release());
      return;
    }
    if (pass.seen.namespaceEnds()) {
      keep("its namespace is being deleted");
      return;
    }
    Optional<JobState> active = pass.seen.jobs().stream()
        .filter(job -> job.kind() != Kind.DELETE && (job.phase() == JobState.Phase.WAITING || job.phase() == JobState.Phase.RUNNING)).findFirst();
    if (active.isPresent()) {
      pass.act(new BackupAction.DeleteJob(active.get().name()));
      return;
    }
    Optional<KvorumBackup> dependent = new Chains(pass.seen.backups()).dependents(pass.seen.backup()).stream().findFirst();
    if (dependent.isPresent()) {
      status.message = "its artefact is deleted after that of " + dependent.get().getMetadata().getName() + ", which builds on it";
      return;
    }
    if (!status.reason.equals(DELETING)) {
      status.step(status.phase);
      status.reason = DELETING;
      pass.start(Kind.DELETE);
    } else if (!status.job.isEmpty()) {
      pass.ended(Kind.DELETE).ifPresent(this::afterwards);
    } else if (pass.rested()) {
      pass.start(Kind.DELETE);
    }
  }

  private void afterwards(JobState job) {
    boolean gone = job.result().map(result -> result.ok() || result.reason().equals(JobResult.NOT_FOUND)).orElse(false);
    if (gone) {
      pass.event(EventReason.BACKUP_DELETED, "the artefact is deleted");
      pass.act(new BackupAction.Release());
    } else if (pass.status.attempts >= ATTEMPTS) {
      // The credentials may be gone as well.
      keep(Pass.message(job));
    } else {
      pass.pause(job);
    }
  }

  private void keep(String why) {
    pass.event(EventReason.BACKUP_ARTEFACT_KEPT, "the artefact " + Places.uri(pass.status.destination, pass.artefactId()) + " stays: " + why);
    pass.act(new BackupAction.Release());
  }
}
