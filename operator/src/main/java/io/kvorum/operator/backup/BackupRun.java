package io.kvorum.operator.backup;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.BackupSpec;
import io.kvorum.operator.api.BackupSpec.Destination;
import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumBackupSpec.Type;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumBackupStatus.Artefact;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.api.KvorumBackupStatus.Verification;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.desired.BackupJob.Kind;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.status.Sizes;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;

/**
 * One pass over a backup that stays.
 *
 * <ol>
 *   <li>Pending: it waits for its turn (one run at a time of a cluster, oldest first) and for somebody to be read from, for an hour at most.
 *   <li>Running: its type, source and destination are written, then its Job is made. A Job that fails is followed by another after a pause that doubles, four in
 *       all; a chain that cannot take the delta makes it a full backup at once; a wrong key ends it at once. A Job whose pod does not run for half an hour has failed.
 *   <li>Completed, and Verifying when that is wanted, in the same way; Verified when the content is equal, Failed when it is not. A comparison that could not be
 *       made leaves it Completed.
 * </ol>
 */
final class BackupRun {
  static final int ATTEMPTS = 4;
  static final Duration TURN = Duration.ofHours(1);

  /** Within one second creation times do not tell who is older, and the younger may be seen first. */
  static final Duration SEEN_BY_ALL = Duration.ofSeconds(2);

  private final Pass pass;
  private final BackupObservation seen;
  private final Instant at;
  private final StatusDraft status;

  BackupRun(Pass pass) {
    this.pass = pass;
    this.seen = pass.seen;
    this.at = pass.at;
    this.status = pass.status;
  }

  void plan() {
    switch (status.phase) {
      case PENDING -> pending();
      case RUNNING -> running();
      case VERIFYING -> verifying();
      case COMPLETED, VERIFIED, FAILED -> settled();
    }
  }

  private void pending() {
    pass.requeue = Pass.WATCHING;
    Instant created = Instant.parse(seen.backup().getMetadata().getCreationTimestamp());
    if (Duration.between(created, at).compareTo(SEEN_BY_ALL) < 0) {
      pass.requeue = SEEN_BY_ALL;
      return;
    }
    Optional<String> obstacle = obstacle();
    if (obstacle.isPresent()) {
      status.message = "waiting: " + obstacle.get();
      if (Duration.between(created, at).compareTo(TURN) > 0) {
        status.startedAt = Api.time(at);
        failed("NeverBegan", "could not begin within " + TURN.toMinutes() + " minutes: " + obstacle.get());
      }
      return;
    }
    KvorumCluster cluster = seen.cluster().orElseThrow();
    Optional<BackupSpec> own = Optional.ofNullable(cluster.getSpec().backup());
    KvorumBackupSpec spec = seen.backup().getSpec();
    status.destination = destination(spec, own).orElseThrow();
    status.key = spec.destination() != null ? spec.encryptionKeySecretRef() : own.map(BackupSpec::encryptionKeySecretRef).orElse("");
    RunType.Choice choice = RunType.choose(spec.type(), own, status.destination, status.key, cluster.getStatus().clusterID(), seen.backups());
    status.type = choice.type();
    status.startedAt = Api.time(at);
    status.well();
    status.step(Phase.RUNNING);
    String why = choice.why().isEmpty() ? "" : "; full, since " + choice.why();
    pass.event(EventReason.BACKUP_STARTED, "a " + text(status.type) + " backup to " + Places.uri(status.destination, pass.id()) + why);
    take();
  }

  /** Why it cannot begin now; empty when it can. */
  private Optional<String> obstacle() {
    if (seen.cluster().isEmpty()) {
      return Optional.of("there is no KvorumCluster " + seen.backup().getSpec().clusterRef());
    }
    if (destination(seen.backup().getSpec(), Optional.ofNullable(seen.cluster().get().getSpec().backup())).isEmpty()) {
      return Optional.of("neither the backup nor the cluster names a destination");
    }
    Optional<KvorumBackup> other = seen.backups().stream()
        .filter(one -> one.getSpec().clusterRef().equals(seen.backup().getSpec().clusterRef()) && !one.getMetadata().getName().equals(pass.name))
        .filter(one -> one.known().phase() == Phase.RUNNING || (one.known().phase() == Phase.PENDING && older(one)))
        .findFirst();
    if (other.isPresent()) {
      return Optional.of("KvorumBackup " + other.get().getMetadata().getName() + " comes first");
    }
    return Sources.choose(seen.cluster().get()).isPresent() ? Optional.empty() : Optional.of("no member can be read from now");
  }

  private boolean older(KvorumBackup other) {
    Comparator<KvorumBackup> order =
        Comparator.comparing((KvorumBackup one) -> one.getMetadata().getCreationTimestamp()).thenComparing(one -> one.getMetadata().getName());
    return other.getMetadata().getDeletionTimestamp() == null && order.compare(other, seen.backup()) < 0;
  }

  private static Optional<Destination> destination(KvorumBackupSpec spec, Optional<BackupSpec> own) {
    return Optional.ofNullable(spec.destination()).or(() -> own.map(BackupSpec::destination));
  }

  /** Makes the next Job that takes the backup, from a source that is chosen anew. */
  private void take() {
    Optional<String> source = seen.cluster().flatMap(cluster -> Sources.choose(cluster, lastSource()));
    if (source.isEmpty()) {
      status.message = "waiting: no member can be read from now";
      pass.requeue = Pass.WATCHING;
      if (pass.since(status.heartbeatAt).compareTo(TURN) > 0) {
        failed("SourceUnavailable", "no member could be read from for " + TURN.toMinutes() + " minutes");
      }
      return;
    }
    status.source = source.get();
    pass.start(Kind.BACKUP);
  }

  /** Of the newest backup in the same place; empty when there is none, and when a Job of this backup has failed: then the member may be the reason. */
  private String lastSource() {
    return !status.source.isEmpty() ? "" : seen.backups().stream()
        .filter(one -> one.getSpec().clusterRef().equals(seen.backup().getSpec().clusterRef()) && Chains.usable(one))
        .filter(one -> status.destination.equals(one.known().destination()))
        .max(Chains.BY_AGE)
        .map(one -> one.known().source())
        .orElse("");
  }

  private void running() {
    if (status.job.isEmpty()) {
      if (pass.rested()) {
        take();
      }
      return;
    }
    Optional<JobState> ended = pass.ended(Kind.BACKUP);
    if (ended.isEmpty()) {
      return;
    }
    JobResult result = ended.get().result().orElse(null);
    if (result != null && result.ok()) {
      completed(result);
    } else if (result != null && result.reason().equals(JobResult.DELTA_GAP) && status.type == Type.DELTA) {
      pass.event(EventReason.BACKUP_DELTA_GAP, result.message() + "; a full backup is taken");
      status.step(Phase.RUNNING);
      status.type = Type.FULL;
      status.reason = JobResult.DELTA_GAP;
      status.message = result.message();
      pass.requeue = Pass.PROMPT;
    } else if (!again(ended.get(), result != null && result.reason().equals(JobResult.WRONG_KEY))) {
      failed(Pass.reason(ended.get()), Pass.message(ended.get()));
    }
  }

  private void completed(JobResult result) {
    status.type = result.type().equals("full") ? Type.FULL : result.type().equals("delta") ? Type.DELTA : status.type;
    status.artefact = new Artefact(
        result.id().isEmpty() ? pass.id() : result.id(), Places.uri(status.destination, result.id().isEmpty() ? pass.id() : result.id()), result.sizeBytes(),
        result.newBytes(), result.sha256(), result.fromRevision(), result.toRevision(), result.clusterID(), result.version(), result.contentHash(),
        result.contentHashRevision(), result.contentHashCompactRevision(), result.previous(), result.previousSha256());
    status.size = Sizes.text(result.sizeBytes());
    status.completedAt = Api.time(at);
    status.well();
    status.condition(KvorumBackupStatus.COMPLETED, Condition.Status.TRUE, "Published", "");
    pass.event(EventReason.BACKUP_COMPLETED, "revision " + result.toRevision() + ", " + status.size + " of which " + Sizes.text(result.newBytes()) + " were sent");
    status.step(seen.backup().getSpec().verify() ? Phase.VERIFYING : Phase.COMPLETED);
    pass.requeue = Pass.PROMPT;
  }

  private void verifying() {
    if (status.job.isEmpty()) {
      if (pass.rested()) {
        pass.start(Kind.VERIFY);
      }
      return;
    }
    Optional<JobState> ended = pass.ended(Kind.VERIFY);
    if (ended.isEmpty()) {
      return;
    }
    JobResult result = ended.get().result().orElse(null);
    boolean compared = result != null && (result.ok() || result.damaged());
    if (!compared && again(ended.get(), false)) {
      return;
    }
    boolean equal = compared && result.ok() && result.hashMatched();
    String text = equal ? "" : compared && result.ok() ? "the restored content has another hash" : Pass.message(ended.get());
    status.verification = new Verification(
        Api.time(at), result == null ? 0 : result.restoredRevision(), equal, result == null ? 0 : result.seconds(), request(), text);
    if (equal) {
      status.well();
      status.condition(KvorumBackupStatus.VERIFIED, Condition.Status.TRUE, "HashMatched", "");
      pass.event(EventReason.BACKUP_VERIFIED, "restored to revision " + result.restoredRevision() + ", the content is equal");
      status.step(Phase.VERIFIED);
    } else {
      String why = !compared ? "NotCompared" : result.damaged() ? result.reason() : JobResult.HASH_MISMATCH;
      status.reason = why;
      status.message = text;
      status.condition(KvorumBackupStatus.VERIFIED, compared ? Condition.Status.FALSE : Condition.Status.UNKNOWN, why, text);
      pass.event(EventReason.BACKUP_VERIFICATION_FAILED, why + ": " + text);
      status.step(compared ? Phase.FAILED : Phase.COMPLETED);
    }
    pass.requeue = Pass.PROMPT;
  }

  /** Nothing is under way, until a verification is asked for. Jobs that went well are in nobody's way any more. */
  private void settled() {
    String answered = status.verification == null ? "" : status.verification.request();
    if (status.artefact != null && !request().isEmpty() && !request().equals(answered)) {
      status.step(Phase.VERIFYING);
      pass.requeue = Pass.PROMPT;
      return;
    }
    seen.jobs().stream().filter(job -> job.phase() == JobState.Phase.SUCCEEDED).findFirst().ifPresent(job -> pass.act(new BackupAction.DeleteJob(job.name())));
  }

  /** Another attempt follows. */
  private boolean again(JobState job, boolean hopeless) {
    if (hopeless || status.attempts >= ATTEMPTS) {
      return false;
    }
    pass.event(EventReason.BACKUP_RETRIED, job.name() + ": " + Pass.reason(job) + ": " + Pass.message(job));
    status.reason = Pass.reason(job);
    pass.pause(job);
    return true;
  }

  private void failed(String reason, String message) {
    status.step(Phase.FAILED);
    status.completedAt = Api.time(at);
    status.reason = reason;
    status.message = message;
    status.condition(KvorumBackupStatus.COMPLETED, Condition.Status.FALSE, reason, message);
    pass.event(EventReason.BACKUP_FAILED, reason + ": " + message);
    pass.requeue = Pass.PROMPT;
  }

  private String request() {
    Map<String, String> annotations = seen.backup().getMetadata().getAnnotations();
    return annotations == null ? "" : annotations.getOrDefault(Names.VERIFY, "");
  }

  private static String text(Type type) {
    return type == Type.FULL ? "full" : "delta";
  }
}
