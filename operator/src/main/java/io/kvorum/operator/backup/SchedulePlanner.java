package io.kvorum.operator.backup;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupScheduleSpec;
import io.kvorum.operator.api.KvorumBackupScheduleStatus;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.schedule.Cron;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Decides what one pass over a schedule does: a pure function of the observation.
 *
 * <ol>
 *   <li>The last moment that the expression names is due until a run has served it. Earlier ones that nobody served are counted as missed: they become one run.
 *   <li>A moment further back than {@code startingDeadlineSeconds} is missed as well; one that passes while the schedule is suspended is not counted at all.
 *   <li>A due run waits while another backup of the cluster is under way. Each Nth run is verified, the first included.
 *   <li>When nothing is due, one backup that retention does not keep is deleted.
 * </ol>
 */
public final class SchedulePlanner {
  /** Moments that are counted at most after a long absence. */
  static final long MOST_MISSED = 1000;

  private static final DateTimeFormatter MOMENT = DateTimeFormatter.ofPattern("yyMMddHHmm", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final Duration PROMPT = Duration.ofSeconds(1);
  private static final Duration WATCHING = Duration.ofSeconds(30);
  private static final Duration LONGEST = Duration.ofMinutes(10);

  /** What a pass over one schedule works on. */
  private static final class Pass {
    private final ScheduleObservation seen;
    private final String name;
    private final KvorumBackupScheduleSpec spec;
    private final List<KvorumBackup> runs;
    private final List<PlannedEvent> events = new ArrayList<>();
    private String served;
    private long missed;
    private long count;
    private String created = "";
    private Duration requeue = LONGEST;

    private Pass(ScheduleObservation seen) {
      this.seen = seen;
      this.name = seen.schedule().getMetadata().getName();
      this.spec = seen.schedule().getSpec();
      this.runs = seen.backups().stream()
          .filter(backup -> backup.getSpec().clusterRef().equals(spec.clusterRef()) && Retention.schedule(backup).equals(name)).sorted(Chains.BY_AGE).toList();
      KvorumBackupScheduleStatus status = seen.schedule().known();
      this.served = status.lastScheduleTime();
      this.missed = status.missedRuns();
      this.count = status.runs();
    }

    private KvorumBackupScheduleStatus status(Optional<Instant> next, String message) {
      return new KvorumBackupScheduleStatus(
          seen.schedule().getMetadata().getGeneration(), served, next.map(Api::time).orElse(""), newest(false), newest(true),
          created.isEmpty() ? active() : created, missed, count, message);
    }

    private String nameOf(Instant moment) {
      return name + "-" + MOMENT.format(moment);
    }

    private boolean made(String run) {
      return seen.backups().stream().anyMatch(backup -> backup.getMetadata().getName().equals(run));
    }

    /** Counts the moments between the last that was served and the one that is due; one may have a run that a crash kept from being written down. */
    private long skip(Cron cron, Instant since, Instant due) {
      long before = missed;
      Optional<Instant> moment = cron.next(since);
      for (long i = 0; i < MOST_MISSED && moment.isPresent() && moment.get().isBefore(due); i++) {
        if (made(nameOf(moment.get()))) {
          count++;
        } else {
          missed++;
        }
        moment = cron.next(moment.get());
      }
      return missed - before;
    }

    private String active() {
      return runs.stream().filter(run -> !run.known().phase().isFinal() && run.getMetadata().getDeletionTimestamp() == null)
          .map(run -> run.getMetadata().getName()).findFirst().orElse("");
    }

    private String newest(boolean verified) {
      return runs.reversed().stream().filter(run -> verified ? run.known().phase() == Phase.VERIFIED : run.known().usable())
          .map(run -> run.getMetadata().getName()).findFirst().orElse("");
    }
  }

  public SchedulePlan plan(ScheduleObservation seen) {
    Pass pass = new Pass(seen);
    Cron cron;
    try {
      cron = Cron.parse(pass.spec.schedule(), pass.spec.timeZone());
    } catch (IllegalArgumentException wrong) {
      return new SchedulePlan(pass.status(Optional.empty(), wrong.getMessage()), Optional.empty(), List.of(), LONGEST);
    }
    String message = pass.spec.suspend() ? "suspended" : seen.cluster().isEmpty() ? "there is no KvorumCluster " + pass.spec.clusterRef() : "";
    Optional<BackupAction> action = run(pass, cron);
    Optional<Instant> next = cron.next(seen.at());
    next.map(moment -> Duration.between(seen.at(), moment)).filter(left -> left.compareTo(pass.requeue) < 0).ifPresent(left -> pass.requeue = left);
    if (action.isEmpty() && pass.created.isEmpty()) {
      action = new Retention(seen.at(), pass.spec.clusterRef(), seen.backups(), seen.schedules()).deletable().stream().findFirst()
          .map(backup -> new BackupAction.DeleteBackup(backup.getMetadata().getName(), backup.getMetadata().getUid()));
      action.ifPresent(delete -> pass.requeue = PROMPT);
    }
    Duration requeue = pass.requeue.compareTo(PROMPT) < 0 ? PROMPT : pass.requeue;
    return new SchedulePlan(pass.status(pass.spec.suspend() ? Optional.empty() : next, message), action, pass.events, requeue);
  }

  /** The run that is due. */
  private static Optional<BackupAction> run(Pass pass, Cron cron) {
    Instant at = pass.seen.at();
    Instant since = Api.time(pass.served).orElseGet(() -> Instant.parse(pass.seen.schedule().getMetadata().getCreationTimestamp()));
    Optional<Instant> due = cron.last(at).filter(moment -> moment.isAfter(since));
    if (due.isEmpty()) {
      return Optional.empty();
    }
    if (pass.spec.suspend()) {
      pass.served = Api.time(due.get());
      return Optional.empty();
    }
    String name = pass.nameOf(due.get());
    boolean made = pass.made(name);
    boolean late = pass.spec.startingDeadlineSeconds() != null
        && Duration.between(due.get(), at).compareTo(Duration.ofSeconds(pass.spec.startingDeadlineSeconds())) > 0;
    if (!made && late) {
      pass.skip(cron, since, due.get());
      pass.missed++;
      pass.served = Api.time(due.get());
      pass.events.add(new PlannedEvent(EventReason.BACKUP_RUN_MISSED, "", "the run of " + pass.served + " could not begin in time"));
      return Optional.empty();
    }
    boolean busy = pass.seen.backups().stream().anyMatch(backup -> backup.getSpec().clusterRef().equals(pass.spec.clusterRef())
        && (backup.known().phase() == Phase.PENDING || backup.known().phase() == Phase.RUNNING));
    if (!made && (busy || pass.seen.cluster().isEmpty())) {
      pass.requeue = WATCHING;
      return Optional.empty();
    }
    long missed = pass.skip(cron, since, due.get());
    if (missed > 0) {
      pass.events.add(new PlannedEvent(EventReason.BACKUP_RUN_MISSED, "", missed + " runs were missed; " + name + " stands for them"));
    }
    // Counted before, so that whether this one is verified is known.
    Optional<BackupAction> action = made ? Optional.empty() : Optional.of(create(pass, name));
    pass.served = Api.time(due.get());
    pass.count++;
    pass.created = name;
    pass.requeue = PROMPT;
    return action;
  }

  private static BackupAction create(Pass pass, String name) {
    KvorumBackupScheduleSpec.Template template = pass.spec.template();
    boolean verify = pass.spec.verify() != null && pass.count % pass.spec.verify().every() == 0;
    KvorumBackupSpec spec = new KvorumBackupSpec(
        pass.spec.clusterRef(), template.type(), template.destination(), template.encryptionKeySecretRef(), verify, template.deletionPolicy());
    return new BackupAction.CreateBackup(name, spec, Map.of(Names.CLUSTER, pass.spec.clusterRef(), Names.SCHEDULE, pass.name));
  }
}
