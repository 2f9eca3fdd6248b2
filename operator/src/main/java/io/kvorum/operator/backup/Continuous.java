package io.kvorum.operator.backup;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.BackupSpec;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumBackupSpec.DeletionPolicy;
import io.kvorum.operator.api.KvorumBackupSpec.Type;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.desired.Names;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The deltas that a cluster takes by itself: one each interval after the backup before, later after failures, never beside another backup. */
public final class Continuous {
  private static final DateTimeFormatter MOMENT = DateTimeFormatter.ofPattern("yyMMddHHmmss", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final Duration SHORTEST = Duration.ofSeconds(10);
  private static final Duration LONGEST = Duration.ofHours(1);
  private static final int DOUBLINGS = 10;

  private Continuous() {}

  /** @param backups those of the cluster, oldest first; the run that is due, empty when none is */
  public static Optional<BackupAction.CreateBackup> due(Instant at, KvorumCluster cluster, List<KvorumBackup> backups) {
    BackupSpec spec = cluster.getSpec().backup();
    if (spec == null || !spec.continuous() || spec.destination() == null || Sources.choose(cluster).isEmpty()) {
      return Optional.empty();
    }
    boolean busy = backups.stream().anyMatch(backup -> backup.known().phase() == Phase.PENDING || backup.known().phase() == Phase.RUNNING);
    if (busy) {
      return Optional.empty();
    }
    List<KvorumBackup> ended =
        backups.stream().filter(backup -> spec.destination().equals(backup.known().destination()) && !backup.known().completedAt().isEmpty()).toList();
    long failures = ended.reversed().stream().takeWhile(backup -> backup.known().phase() == Phase.FAILED && Retention.continuous(backup)).count();
    Duration pause = spec.delta().every().compareTo(SHORTEST) < 0 ? SHORTEST : spec.delta().every();
    Duration later = pause.multipliedBy(1L << Math.min(failures, DOUBLINGS));
    Duration wait = failures == 0 || later.compareTo(LONGEST) < 0 ? later : pause.compareTo(LONGEST) > 0 ? pause : LONGEST;
    if (!ended.isEmpty() && Api.time(ended.getLast().known().completedAt()).orElseThrow().plus(wait).isAfter(at)) {
      return Optional.empty();
    }
    String name = cluster.getMetadata().getName();
    KvorumBackupSpec wanted = new KvorumBackupSpec(name, Type.DELTA, null, null, false, DeletionPolicy.DELETE);
    return Optional.of(new BackupAction.CreateBackup(
        name + "-delta-" + MOMENT.format(at), wanted, Map.of(Names.CLUSTER, name, Names.CONTINUOUS, "true")));
  }
}
