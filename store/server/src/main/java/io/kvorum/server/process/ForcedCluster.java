package io.kvorum.server.process;

import io.kvorum.raft.Entry;
import io.kvorum.raft.MembershipChange;
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
 * </ol>
 */
final class ForcedCluster {
  private static final Log LOG = Log.of(ForcedCluster.class);
  private static final long CHUNK_BYTES = 16L << 20;

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
    for (long next = Math.max(machine.appliedIndex() + 1, log.firstIndex()); next <= last; next = machine.appliedIndex() + 1) {
      for (Entry entry : log.entries(next, last + 1, CHUNK_BYTES)) {
        apply(machine, members, entry);
      }
      machine.endBatch(machine.appliedIndex());
    }
    int before = members.view().members().size();
    members.forceSingle();
    long index = machine.appliedIndex();
    long term = index <= last ? log.term(index) : checkpointTerm;
    SnapshotMeta standing = machine.checkpoint(new SnapshotMeta(index, term, members.view().membership()));
    LOG.warn("forced a new cluster of this member alone", "members-before", before, "index", index);
    return standing;
  }

  private static void apply(Machine machine, Members members, Entry entry) {
    switch (entry.type()) {
      case NORMAL -> machine.apply(entry);
      case MEMBERSHIP -> {
        MembershipChange change = MembershipChange.decode(entry.data());
        machine.applyMembership(entry, change, members.view().membership().with(change));
      }
    }
  }
}
