package io.kvorum.operator.plan.procedure;

import io.kvorum.operator.api.Api;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.api.KvorumOperationStatus.Phase;
import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.MemberView;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.WantedBackup;
import java.time.Duration;
import java.time.Instant;

/**
 * The end of a recovery of quorum or of a restore in place: the cluster has grown again, and a backup of it is taken and proven. The recovery itself is over when this
 * begins, so that the operation succeeds whatever becomes of the backup; what became of it is in its message. Without a destination for backups it succeeds at once.
 */
public final class Aftermath {
  /** Step of an operation that waits for the cluster to grow, and then for its backup. */
  public static final String GROW = "Grow";

  private Aftermath() {}

  /** @param what has been reached */
  static void begin(Situation situation, KvorumOperation operation, Draft draft, String what) {
    if (situation.spec().backup() == null || situation.spec().backup().destination() == null) {
      draft.operation(operation, Phase.SUCCEEDED, "", what + " and grows again; no backup follows, since backup.destination is not set");
    } else {
      draft.operation(operation, Phase.RUNNING, GROW, what + " and grows again; a backup follows");
    }
  }

  /** It waits for that; a crash may have kept that from being written into it, but not into the cluster's status. */
  public static boolean of(Situation situation, KvorumOperation operation) {
    boolean recovery = operation.getSpec().recoverQuorum() != null || operation.getSpec().restoreInPlace() != null;
    return recovery && operation.getStatus() != null && operation.getStatus().phase() == Phase.RUNNING
        && (operation.getStatus().step().equals(GROW) || situation.status().memory().recovered().equals(operation.getMetadata().getName()));
  }

  /** Goes on; true when this pass has acted or ended it. What brings the cluster to its size comes below. */
  public static boolean advance(Situation situation, KvorumOperation operation, Draft draft) {
    KvorumOperationStatus status = operation.getStatus();
    if (!status.step().equals(GROW)) {
      begin(situation, operation, draft, "the cluster goes on with " + situation.leading().map(MemberView::name).orElse("one member"));
      return true;
    }
    Instant started = Api.time(status.startedAt()).orElse(situation.at());
    String reached = status.message().replaceFirst(" and grows again; .*$", "");
    if (Duration.between(started, situation.at()).compareTo(Duration.ofSeconds(operation.getSpec().deadlineSeconds())) > 0) {
      draft.operation(operation, Phase.SUCCEEDED, "", reached + "; its size or its backup was not reached before the deadline");
      return true;
    }
    String name = WantedBackup.name(situation, "recovered", started);
    WantedBackup.Progress progress = WantedBackup.progress(situation, name);
    boolean grown = situation.voterCount() >= situation.spec().replicas() && situation.healthyVoters().size() == situation.voterCount();
    return switch (progress.state()) {
      case ABSENT -> {
        if (grown) {
          draft.event(EventReason.BACKUP_WANTED, "", "a backup is taken after the recovery: KvorumBackup " + name);
          draft.act(WantedBackup.make(situation, name));
        }
        yield grown;
      }
      case UNDER_WAY -> false;
      case VERIFIED, FAILED -> {
        draft.operation(operation, Phase.SUCCEEDED, "", reached + "; " + progress.message());
        yield true;
      }
    };
  }
}
