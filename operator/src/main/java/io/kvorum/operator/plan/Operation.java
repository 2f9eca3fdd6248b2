package io.kvorum.operator.plan;

import io.kvorum.operator.api.KvorumOperationSpec;

/** What a KvorumOperation asks for, as one word. */
public final class Operation {
  private Operation() {}

  /** Which of the union it is, e.g. "TransferLeader". */
  public static String type(KvorumOperationSpec spec) {
    if (spec.transferLeader() != null) {
      return "TransferLeader";
    }
    if (spec.restart() != null) {
      return "Restart";
    }
    if (spec.replaceMember() != null) {
      return "ReplaceMember";
    }
    if (spec.defragment() != null) {
      return "Defragment";
    }
    if (spec.compact() != null) {
      return "Compact";
    }
    if (spec.rotateCertificates() != null) {
      return "RotateCertificates";
    }
    if (spec.recoverQuorum() != null) {
      return "RecoverQuorum";
    }
    return spec.restoreInPlace() != null ? "RestoreInPlace" : "VerifyBackup";
  }
}
