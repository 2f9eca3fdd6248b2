package io.kvorum.operator.plan;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.BackupSpec;
import io.kvorum.operator.api.Condition;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSchedule;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.backup.Chains;
import io.kvorum.operator.backup.JobResult;
import io.kvorum.operator.schedule.Cron;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What a cluster's backups say about it. Those of an earlier cluster of the same name are not its own. */
public final class BackupFacts {
  private static final Duration SHORTEST_LATENESS = Duration.ofMinutes(15);

  private BackupFacts() {}

  /** Whether the backups are as they should be. */
  public record Health(Condition.Status status, String reason, String message) {}

  private static List<KvorumBackup> own(Situation situation) {
    String created = situation.cluster().getMetadata().getCreationTimestamp();
    return situation.backups().stream().filter(backup -> backup.getMetadata().getCreationTimestamp().compareTo(created) >= 0).toList();
  }

  /** The newest backup that was proven; of the same name's cluster before too, since it is what there is. */
  public static Optional<KvorumBackup> verified(Situation situation) {
    return situation.backups().reversed().stream().filter(backup -> backup.known().phase() == Phase.VERIFIED && Chains.usable(backup)).findFirst();
  }

  /** What a restore could begin with, in words. */
  public static String newestVerified(Situation situation) {
    return verified(situation)
        .map(backup -> "the newest verified backup is " + backup.getMetadata().getName() + " at revision " + Chains.revision(backup)
            + " of " + backup.known().completedAt())
        .orElse("there is no verified backup");
  }

  /** The status of the cluster's backups; null when there are none. */
  public static KvorumClusterStatus.Backup status(Situation situation) {
    List<KvorumBackup> usable = own(situation).stream().filter(Chains::usable).toList();
    Optional<KvorumBackup> verified = verified(situation);
    if (usable.isEmpty() && verified.isEmpty()) {
      return null;
    }
    KvorumBackupStatus newest = usable.isEmpty() ? verified.get().known() : usable.getLast().known();
    String first = usable.stream().filter(backup -> backup.known().artefact().previous().isEmpty()).map(backup -> backup.known().completedAt())
        .findFirst().orElse("");
    BackupSpec spec = situation.spec().backup();
    Long lag = spec == null || !spec.continuous() ? null : age(situation, newest.completedAt()).toMinutes() * 60;
    return new KvorumClusterStatus.Backup(
        newest.completedAt(), verified.map(backup -> backup.known().verification()).map(one -> one.at()).orElse(""), first, newest.artefact().toRevision(), lag,
        verified.map(backup -> backup.getMetadata().getName()).orElse(""), verified.map(Chains::revision).orElse(null));
  }

  private static Duration age(Situation situation, String moment) {
    Duration age = Api.time(moment).map(then -> Duration.between(then, situation.at())).orElse(Duration.ZERO);
    return age.isNegative() ? Duration.ZERO : age;
  }

  /** The condition BackupHealthy. */
  public static Health health(Situation situation) {
    List<KvorumBackup> own = own(situation);
    List<KvorumBackup> usable = own.stream().filter(Chains::usable).toList();
    BackupSpec spec = situation.spec().backup();
    boolean wanted = (spec != null && spec.destination() != null) || !schedules(situation).isEmpty();
    Optional<KvorumBackup> last = own.reversed().stream().filter(backup -> !backup.known().completedAt().isEmpty()).findFirst();
    Optional<KvorumBackup> gap =
        own.stream().filter(backup -> backup.known().phase() == Phase.RUNNING && backup.known().reason().equals(JobResult.DELTA_GAP)).findFirst();
    Optional<KvorumBackup> wrong = differs(own);
    if (wrong.isPresent()) {
      return bad("VerificationFailed", wrong.get().getMetadata().getName() + ": " + wrong.get().known().message());
    }
    if (gap.isPresent()) {
      return bad("DeltaGap", gap.get().getMetadata().getName() + " is taken in full: " + gap.get().known().message());
    }
    if (last.filter(backup -> backup.known().phase() == Phase.FAILED && backup.known().artefact() == null).isPresent()) {
      return bad("LastRunFailed", last.get().getMetadata().getName() + ": " + last.get().known().reason() + ": " + last.get().known().message());
    }
    if (usable.isEmpty()) {
      return new Health(
          wanted ? Condition.Status.FALSE : Condition.Status.UNKNOWN, "NeverBackedUp", wanted ? "no backup is completed yet" : "backup.destination is not set");
    }
    Optional<String> old = tooOld(situation, usable.getLast());
    if (old.isPresent()) {
      return bad("TooOld", old.get());
    }
    boolean proven = verified(situation).isPresent();
    return new Health(Condition.Status.TRUE, proven ? "Verified" : "Completed", proven ? "" : "no backup was verified yet");
  }

  private static Health bad(String reason, String message) {
    return new Health(Condition.Status.FALSE, reason, message);
  }

  /** One that was found different, unless a newer one was proven since. */
  private static Optional<KvorumBackup> differs(List<KvorumBackup> own) {
    for (KvorumBackup backup : own.reversed()) {
      if (backup.known().phase() == Phase.VERIFIED) {
        return Optional.empty();
      }
      if (backup.known().condition(KvorumBackupStatus.VERIFIED).filter(condition -> condition.status() == Condition.Status.FALSE).isPresent()) {
        return Optional.of(backup);
      }
    }
    return Optional.empty();
  }

  private static List<KvorumBackupSchedule> schedules(Situation situation) {
    String name = situation.cluster().getMetadata().getName();
    return situation.observation().backups().schedules().stream().filter(schedule -> schedule.getSpec().clusterRef().equals(name)).toList();
  }

  /** It is older than three intervals of the deltas, or than the last moment but one of a schedule. */
  private static Optional<String> tooOld(Situation situation, KvorumBackup newest) {
    BackupSpec spec = situation.spec().backup();
    Instant completed = Api.time(newest.known().completedAt()).orElse(situation.at());
    if (spec != null && spec.continuous() && !situation.spec().hibernated()) {
      Duration most = spec.delta().every().multipliedBy(3);
      Duration limit = most.compareTo(SHORTEST_LATENESS) < 0 ? SHORTEST_LATENESS : most;
      if (completed.plus(limit).isBefore(situation.at())) {
        return Optional.of("no delta was taken since " + newest.known().completedAt());
      }
    }
    for (KvorumBackupSchedule schedule : schedules(situation)) {
      Optional<Instant> before = schedule.getSpec().suspend() ? Optional.empty() : lastButOne(schedule, situation.at());
      Instant created = Instant.parse(schedule.getMetadata().getCreationTimestamp());
      if (before.filter(moment -> moment.isAfter(created) && completed.isBefore(moment)).isPresent()) {
        return Optional.of("no backup was completed since " + newest.known().completedAt() + ", and schedule " + schedule.getMetadata().getName() + " wanted more");
      }
    }
    return Optional.empty();
  }

  private static Optional<Instant> lastButOne(KvorumBackupSchedule schedule, Instant at) {
    try {
      Cron cron = Cron.parse(schedule.getSpec().schedule(), schedule.getSpec().timeZone());
      return cron.last(at).flatMap(last -> cron.last(last.minusMillis(1)));
    } catch (IllegalArgumentException wrong) {
      return Optional.empty();
    }
  }
}
