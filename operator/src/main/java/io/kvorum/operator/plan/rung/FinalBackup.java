package io.kvorum.operator.plan.rung;

import io.kvorum.operator.event.EventReason;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Plan.Reason;
import io.kvorum.operator.plan.Situation;
import io.kvorum.operator.plan.WantedBackup;

/**
 * The backup that is taken and proven before the members stop, for good or to hibernate, when the specification wants one. Until it is, the members are kept going.
 * One that failed is for people: its KvorumBackup is deleted to try once more, or the wish is taken back.
 */
final class FinalBackup {
  private static final Upkeep UPKEEP = new Upkeep();

  private FinalBackup() {}

  /** The members may stop. */
  static boolean done(Situation situation, Draft draft, String occasion) {
    if (!situation.spec().wantsFinalBackup() || situation.clusterId() == 0 || draft.memory().finalBackupVerified) {
      return true;
    }
    if (situation.facts().namespaceEnds()) {
      return true; // Nothing can be made there any more: neither a backup nor the pods that it would be taken of.
    }
    draft.requeue(Draft.PROMPT);
    if (draft.memory().finalBackup.isEmpty()) {
      draft.memory().finalBackup = WantedBackup.name(situation, occasion, situation.at());
    }
    String name = draft.memory().finalBackup;
    WantedBackup.Progress progress = WantedBackup.progress(situation, name);
    switch (progress.state()) {
      case VERIFIED -> {
        draft.memory().finalBackupVerified = true;
        return true;
      }
      case UNDER_WAY -> draft.progress(Reason.BACKING_UP, progress.message());
      case FAILED -> draft.progress(Reason.WAITING_FOR_USER, progress.message() + "; delete it to try again, or set deletion.finalBackup to false to do without");
      case ABSENT -> absent(situation, draft, name);
    }
    if (!draft.acts() && !asleep(situation, draft)) {
      UPKEEP.keepRunning(situation, draft);
    }
    return false;
  }

  private static void absent(Situation situation, Draft draft, String name) {
    if (situation.quorumAvailable()) {
      draft.progress(Reason.BACKING_UP, "the final backup is taken");
      draft.event(EventReason.BACKUP_WANTED, "", "a final backup is taken first: KvorumBackup " + name);
      draft.act(WantedBackup.make(situation, name));
    } else if (asleep(situation, draft)) {
      draft.progress(Reason.WAITING_FOR_USER, "no final backup can be taken of a hibernated cluster: wake it, or set deletion.finalBackup to false");
    } else {
      draft.progress(Reason.WAITING_FOR_USER, "the final backup waits for quorum; set deletion.finalBackup to false to do without");
    }
  }

  private static boolean asleep(Situation situation, Draft draft) {
    return draft.memory().hibernated && situation.observation().pods().isEmpty();
  }
}
