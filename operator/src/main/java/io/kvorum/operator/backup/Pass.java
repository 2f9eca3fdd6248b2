package io.kvorum.operator.backup;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.BackupSpec;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumBackupSpec.Type;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.desired.BackupJob.Kind;
import io.kvorum.operator.desired.BackupStorage;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.event.PlannedEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One pass over one backup while it is being planned: its status, and the Jobs of its present step. A step's Jobs are numbered; one of an earlier step that has the
 * same name is deleted first.
 */
final class Pass {
  static final Duration DEADLINE = Duration.ofHours(12);
  static final Duration STALLED = Duration.ofMinutes(30);
  static final Duration PROMPT = Duration.ofSeconds(1);
  static final Duration WATCHING = Duration.ofSeconds(15);

  private static final Duration HEARTBEAT = Duration.ofMinutes(1);
  private static final Duration FIRST_PAUSE = Duration.ofSeconds(15);
  private static final int LONGEST_PAUSE = 6;
  private static final Duration IDLE = Duration.ofMinutes(10);

  final BackupObservation seen;
  final Instant at;
  final String name;
  final StatusDraft status;
  Duration requeue = IDLE;
  private final List<PlannedEvent> events = new ArrayList<>();
  private Optional<BackupAction> action = Optional.empty();

  Pass(BackupObservation seen) {
    this.seen = seen;
    this.at = seen.at();
    this.name = seen.backup().getMetadata().getName();
    this.status = new StatusDraft(seen.backup(), at);
  }

  BackupPlan finish() {
    return new BackupPlan(status.freeze(), action, events, requeue);
  }

  /** Makes the next Job of the step, once an earlier one of that name is gone. */
  void start(Kind kind) {
    String job = Names.backupJob(name, kind, status.attempts + 1);
    requeue = PROMPT;
    if (seen.jobs().stream().anyMatch(one -> one.name().equals(job))) {
      act(new BackupAction.DeleteJob(job));
      return;
    }
    status.attempts++;
    status.job = job;
    status.retryAfter = "";
    status.heartbeatAt = Api.time(at);
    create(kind);
  }

  void create(Kind kind) {
    long rate = seen.cluster().map(cluster -> cluster.getSpec().backup()).map(BackupSpec::throttle).orElse(0L);
    act(new BackupAction.CreateJob(
        status.job, kind, kind == Kind.BACKUP ? id() : artefactId(), new BackupStorage(status.destination, status.key), status.type,
        kind == Kind.BACKUP ? status.source : "", kind == Kind.BACKUP ? rate : 0, DEADLINE));
    requeue = WATCHING;
  }

  /** The Job under way once it has ended, or is given up since its pod never runs. */
  Optional<JobState> ended(Kind kind) {
    requeue = WATCHING;
    Optional<JobState> job = seen.jobs().stream().filter(one -> one.name().equals(status.job)).findFirst();
    if (job.isEmpty()) {
      // A crash came before it was made, or somebody deleted it.
      create(kind);
      return Optional.empty();
    }
    return switch (job.get().phase()) {
      case SUCCEEDED, FAILED -> job;
      case RUNNING -> {
        if (since(status.heartbeatAt).compareTo(HEARTBEAT) >= 0) {
          status.heartbeatAt = Api.time(at);
        }
        yield Optional.empty();
      }
      case WAITING -> {
        if (!job.get().message().isEmpty()) {
          status.message = job.get().message();
        }
        yield since(status.heartbeatAt).compareTo(STALLED) > 0 ? job : Optional.empty();
      }
    };
  }

  void pause(JobState job) {
    Duration pause = FIRST_PAUSE.multipliedBy(1L << Math.min(status.attempts - 1, LONGEST_PAUSE));
    status.job = "";
    status.retryAfter = Api.time(at.plus(pause));
    status.message = message(job);
    requeue = pause;
    if (job.phase() == JobState.Phase.WAITING) {
      act(new BackupAction.DeleteJob(job.name()));
    }
  }

  boolean rested() {
    Duration left = Api.time(status.retryAfter).map(moment -> Duration.between(at, moment)).orElse(Duration.ZERO);
    requeue = left.isPositive() ? left : PROMPT;
    return !left.isPositive();
  }

  static String reason(JobState job) {
    return job.result().map(JobResult::reason).filter(text -> !text.isEmpty()).orElse(job.phase() == JobState.Phase.WAITING ? "Stalled" : "NoResult");
  }

  static String message(JobState job) {
    return job.result().map(JobResult::message).filter(text -> !text.isEmpty()).orElse(job.message().isEmpty() ? "its Job left no result" : job.message());
  }

  /** Its name in the repository: one that is made anew under the same name is another backup, and so is the full one in place of a delta. */
  String id() {
    String uid = seen.backup().getMetadata().getUid();
    boolean instead = seen.backup().getSpec().type() == Type.DELTA && status.type == Type.FULL;
    return name + "-" + uid.substring(0, Math.min(8, uid.length())) + (instead ? "-full" : "");
  }

  String artefactId() {
    return status.artefact == null ? id() : status.artefact.id();
  }

  Duration since(String moment) {
    return Api.time(moment).map(then -> Duration.between(then, at)).orElse(Duration.ZERO);
  }

  void act(BackupAction next) {
    action = Optional.of(next);
    if (requeue.compareTo(WATCHING) > 0) {
      requeue = WATCHING;
    }
  }

  void event(EventReason reason, String message) {
    events.add(new PlannedEvent(reason, "", name + ": " + message));
  }
}
