package io.kvorum.operator.backup;

/** Decides what one pass over a backup does: a pure function of the observation. */
public final class BackupPlanner {

  public BackupPlan plan(BackupObservation seen) {
    Pass pass = new Pass(seen);
    if (seen.backup().getMetadata().getDeletionTimestamp() != null) {
      new Removal(pass).plan();
    } else {
      new BackupRun(pass).plan();
    }
    return pass.finish();
  }
}
