package io.kvorum.operator.plan.rung;

import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupStatus;
import io.kvorum.operator.api.KvorumBackupStatus.Verification;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.api.KvorumOperationStatus.Phase;
import io.kvorum.operator.desired.Names;
import io.kvorum.operator.plan.Action;
import io.kvorum.operator.plan.Draft;
import io.kvorum.operator.plan.Situation;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Verifications of backups that a user asked for. They touch nothing of the cluster and so wait for nobody, not even for quorum: whether a backup can be restored is
 * what one wants to know then. Several go on beside each other.
 */
public final class Verifications implements Rung {
  private static final String VERIFY = "Verify";

  @Override
  public boolean decide(Situation situation, Draft draft) {
    for (KvorumOperation operation : situation.observation().operations()) {
      if (operation.getSpec().verifyBackup() != null && !Operations.phase(operation).isFinal()) {
        verify(situation, operation, draft);
      }
    }
    return draft.acts();
  }

  private static void verify(Situation situation, KvorumOperation operation, Draft draft) {
    String name = operation.getSpec().verifyBackup().backupRef();
    String request = operation.getMetadata().getName();
    draft.requeue(Draft.PROMPT);
    Optional<KvorumBackup> backup = situation.observation().backups().all().stream().filter(one -> one.getMetadata().getName().equals(name)).findFirst();
    Phase phase = Operations.phase(operation);
    if (backup.isEmpty() || backup.get().known().artefact() == null) {
      String why = backup.isEmpty() ? "there is no KvorumBackup " + name : "KvorumBackup " + name + " has no artefact";
      draft.operation(operation, phase == Phase.PENDING ? Phase.REJECTED : Phase.FAILED, "", why);
      return;
    }
    KvorumBackupStatus status = backup.get().known();
    Verification last = status.verification();
    if (last != null && last.request().equals(request) && status.phase().isFinal()) {
      draft.operation(operation, last.hashMatched() ? Phase.SUCCEEDED : Phase.FAILED, "", last.hashMatched()
          ? "restored to revision " + last.restoredRevision() + ", the content is equal" : status.reason() + ": " + last.message());
      return;
    }
    KvorumOperationStatus known = operation.getStatus() == null ? KvorumOperationStatus.EMPTY : operation.getStatus();
    if (phase == Phase.RUNNING && situation.since(known.startedAt()).compareTo(Duration.ofSeconds(operation.getSpec().deadlineSeconds())) > 0) {
      draft.operation(operation, Phase.FAILED, VERIFY, "not done before the deadline");
      return;
    }
    if (phase == Phase.PENDING) {
      draft.operation(operation, Phase.RUNNING, VERIFY, "");
    }
    Map<String, String> annotations = backup.get().getMetadata().getAnnotations();
    boolean asked = annotations != null && request.equals(annotations.get(Names.VERIFY));
    // One that somebody else has asked for is finished first.
    if (!asked && status.phase().isFinal() && !draft.acts()) {
      draft.act(new Action.VerifyBackup(name, request));
    }
  }
}
