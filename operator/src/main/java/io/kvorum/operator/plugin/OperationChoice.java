package io.kvorum.operator.plugin;

import io.kvorum.operator.api.KvorumOperationSpec;
import java.util.function.Function;

/** The one of the union that an operation is. */
final class OperationChoice {
  private Function<String, KvorumOperationSpec> spec;

  KvorumOperationSpec of(String cluster) {
    return spec.apply(cluster);
  }

  OperationChoice transferLeader(KvorumOperationSpec.TransferLeader choice) {
    spec = cluster -> new KvorumOperationSpec(cluster, null, null, choice, null, null, null, null, null, null, null, null);
    return this;
  }

  OperationChoice restart(KvorumOperationSpec.Restart choice) {
    spec = cluster -> new KvorumOperationSpec(cluster, null, null, null, choice, null, null, null, null, null, null, null);
    return this;
  }

  OperationChoice replaceMember(KvorumOperationSpec.ReplaceMember choice) {
    spec = cluster -> new KvorumOperationSpec(cluster, null, null, null, null, choice, null, null, null, null, null, null);
    return this;
  }

  OperationChoice defragment(KvorumOperationSpec.Defragment choice) {
    spec = cluster -> new KvorumOperationSpec(cluster, null, null, null, null, null, choice, null, null, null, null, null);
    return this;
  }

  OperationChoice compact(KvorumOperationSpec.Compact choice) {
    spec = cluster -> new KvorumOperationSpec(cluster, null, null, null, null, null, null, choice, null, null, null, null);
    return this;
  }

  OperationChoice rotateCertificates(KvorumOperationSpec.RotateCertificates choice) {
    spec = cluster -> new KvorumOperationSpec(cluster, null, null, null, null, null, null, null, choice, null, null, null);
    return this;
  }

  OperationChoice recoverQuorum(KvorumOperationSpec.RecoverQuorum choice) {
    spec = cluster -> new KvorumOperationSpec(cluster, null, null, null, null, null, null, null, null, choice, null, null);
    return this;
  }

  OperationChoice restoreInPlace(KvorumOperationSpec.RestoreInPlace choice) {
    spec = cluster -> new KvorumOperationSpec(cluster, null, null, null, null, null, null, null, null, null, choice, null);
    return this;
  }

  OperationChoice verifyBackup(KvorumOperationSpec.VerifyBackup choice) {
    spec = cluster -> new KvorumOperationSpec(cluster, null, null, null, null, null, null, null, null, null, null, choice);
    return this;
  }
}
