package io.kvorum.operator.backup;

import io.kvorum.operator.api.BackupSpec;
import io.kvorum.operator.api.BackupSpec.Destination;
import io.kvorum.operator.api.KvorumBackup;
import io.kvorum.operator.api.KvorumBackupSpec.Type;
import java.util.List;
import java.util.Optional;

/** Whether a run can be a delta. */
final class RunType {
  /** Deltas behind one full backup at most: a restore replays all of them. */
  static final int LONGEST = 288;

  private static final long DEFAULT_BYTES = 1L << 30;

  private RunType() {}

  /**
   * What a run takes and why.
   *
   * @param why a delta that was asked for is none; empty otherwise
   */
  record Choice(Type type, String why) {}

  /**
   * @param wanted by the specification
   * @param backup how the cluster's deltas are bounded
   * @param clusterID identity of the data that is there now
   */
  static Choice choose(Type wanted, Optional<BackupSpec> backup, Destination destination, String key, String clusterID, List<KvorumBackup> all) {
    if (wanted == Type.FULL) {
      return new Choice(Type.FULL, "");
    }
    List<KvorumBackup> chain = new Chains(all).newest(destination, key, clusterID);
    if (chain.isEmpty()) {
      return new Choice(Type.FULL, "there is no chain of this cluster's data that is whole");
    }
    if (chain.size() > LONGEST) {
      return new Choice(Type.FULL, "the chain has " + (chain.size() - 1) + " deltas");
    }
    long bytes = chain.stream().skip(1).mapToLong(link -> link.known().artefact().sizeBytes()).sum();
    long limit = backup.map(BackupSpec::delta).map(BackupSpec.Delta::bytes).orElse(DEFAULT_BYTES);
    return bytes >= limit ? new Choice(Type.FULL, "the deltas of the chain have " + bytes + " bytes") : new Choice(Type.DELTA, "");
  }
}
