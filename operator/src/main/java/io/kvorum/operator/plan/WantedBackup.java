package io.kvorum.operator.plan;

import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSpec;
import io.kvorum.operator.api.KvorumBackupSpec.DeletionPolicy;
import io.kvorum.operator.api.KvorumBackupSpec.Type;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumBackupStatus.Phase;
import io.kvorum.operator.backup.BackupAction;
import io.kvorum.operator.desired.Names;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A backup that the cluster itself waits for: a full one that is verified and stays when its object goes. */
public final class WantedBackup {
  private static final DateTimeFormatter MOMENT = DateTimeFormatter.ofPattern("yyMMddHHmmss", Locale.ROOT).withZone(ZoneOffset.UTC);

  private WantedBackup() {}

  /** How far it is. */
  public enum State {
    /** There is none: {@link #make} it. */
    ABSENT,
    UNDER_WAY,
    /** It is proven. */
    VERIFIED,
    /** It failed, or could not be proven; when its object is deleted there is none again. */
    FAILED
  }

  /** @param message for people */
  public record Progress(State state, String message) {}

  /** The name of one that is taken on an occasion, at a moment. */
  public static String name(Situation situation, String occasion, Instant at) {
    return situation.cluster().getMetadata().getName() + "-" + occasion + "-" + MOMENT.format(at);
  }

  /** How far the one of this name is. */
  public static Progress progress(Situation situation, String name) {
    Optional<KvorumBackup> found = situation.backups().stream().filter(backup -> backup.getMetadata().getName().equals(name)).findFirst();
    if (found.isEmpty()) {
      return new Progress(State.ABSENT, "");
    }
    KvorumBackupStatus status = found.get().known();
    if (status.phase() == Phase.VERIFIED) {
      return new Progress(State.VERIFIED, "KvorumBackup " + name + " is verified");
    }
    String why = status.message().isEmpty() ? "" : ": " + status.message();
    boolean failed = status.phase().isFinal() || found.get().getMetadata().getDeletionTimestamp() != null;
    return failed
        ? new Progress(State.FAILED, "KvorumBackup " + name + " is not verified (" + status.phase().name().toLowerCase(Locale.ROOT) + ")" + why)
        : new Progress(State.UNDER_WAY, "KvorumBackup " + name + " is " + status.phase().name().toLowerCase(Locale.ROOT) + why);
  }

  /** Makes it. */
  public static Action.CreateBackup make(Situation situation, String name) {
    String cluster = situation.cluster().getMetadata().getName();
    KvorumBackupSpec spec = new KvorumBackupSpec(cluster, Type.FULL, null, null, true, DeletionPolicy.RETAIN);
    return new Action.CreateBackup(new BackupAction.CreateBackup(name, spec, Map.of(Names.CLUSTER, cluster)));
  }
}
