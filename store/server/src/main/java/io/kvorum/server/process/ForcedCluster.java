package io.kvorum.server.process;

import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.log.SegmentedLog;
import io.kvorum.server.apply.Machine;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.GenesisFile;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.logging.Log;
import java.io.IOException;

/**
 * {@code --force-new-cluster}: the majority is lost for good, and this member goes on alone with all that it has.
 *
 * <ol>
 *   <li>Every entry of the log is applied, committed or not: what was acknowledged is among them, and which it was nobody can tell any more.
 *   <li>The membership becomes this member alone.
 *   <li>A checkpoint makes that durable. A crash before leaves the old cluster; one after it the new.
 *   <li>The log begins anew behind the checkpoint: its entries tell of the old members, and a member that joins and replayed them would count those. A crash
 *       before this is mended by forcing once more.
 * </ol>
 */
final class ForcedCluster {
  private static final Log LOG = Log.of(ForcedCluster.class);

  private ForcedCluster() {}

  /**
   * Gives the cluster an id of its own, derived from the member and the token, so that doing it again changes nothing. The genesis is written before the
   * marker: a crash between the two is mended by a start with the same token, and any other start is refused.
   *
   * @return the genesis that counts now
   * @throws StartException when the directory belongs to something else
   */
  static Genesis newIdentity(Genesis genesis, String token, DataDirectory directory) throws IOException, StartException {
    Genesis forced = genesis.withClusterId(MemberIds.forcedCluster(genesis.memberId(), token));
    try {
      new GenesisFile(directory.member()).write(forced);
      directory.reidentify(MemberIds.hex(forced.clusterId()), MemberIds.hex(forced.memberId()));
    } catch (DataDirectory.RefusedException refused) {
      throw new StartException("data directory refused", refused.getMessage());
    }
    LOG.warn("forced a new cluster id", "cluster-id-before", MemberIds.hex(genesis.clusterId()), "cluster-id", MemberIds.hex(forced.clusterId()));
    return forced;
  }

  /**
   * @param checkpointTerm term of the checkpoint that the machine was opened at; counts when that is ahead of the log
   * @return where the state machine stands then
   */
  static SnapshotMeta force(Machine machine, Members members, SegmentedLog log, long checkpointTerm) throws IOException {
    long last = log.lastIndex();
    Replay.run(machine, members, log, last);
    int before = members.view().members().size();
    members.forceSingle();
    long index = machine.appliedIndex();
    long term = index <= last ? log.term(index) : checkpointTerm;
    SnapshotMeta standing = machine.checkpoint(new SnapshotMeta(index, term, members.view().membership()));
    log.reset(index, term);
    LOG.warn("forced a new cluster of this member alone", "members-before", before, "index", index);
    return standing;
  }
}
