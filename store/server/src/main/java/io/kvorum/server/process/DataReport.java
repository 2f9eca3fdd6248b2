package io.kvorum.server.process;

import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.HardState;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.log.LogOptions;
import io.kvorum.raft.log.SegmentedLog;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.GenesisFile;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.Members;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Set;

/** Looks at the data directory of a stopped or killed member. The directory is locked meanwhile. */
final class DataReport {
  private static final long CHUNK_BYTES = 16L << 20;

  private final Path dataDirectory;
  private final Path walDirectory;
  private final PrintStream out;

  /**
   * @param walDirectory where the log is; null for where the member had it
   */
  DataReport(Path dataDirectory, Path walDirectory, PrintStream out) {
    this.dataDirectory = dataDirectory;
    this.walDirectory = walDirectory;
    this.out = out;
  }

  /**
   * One line for each entry that is known to be committed and that the log still holds, in order: base64 of the request, whose fields below 2000 are those of etcd's
   * InternalRaftRequest. Entries that carry no request (a leader's first entry, membership changes) have none; a lease granted together with its key has two, the
   * grant and the put.
   *
   * @return exit code
   */
  int dump() throws IOException, DataDirectory.RefusedException {
    try (DataDirectory directory = open();
        SegmentedLog log = SegmentedLog.open(directory.log(), LogOptions.defaults());
        MvccStore store = MvccStore.open(directory.store(), MvccOptions.DEFAULT)) {
      long last = committed(directory, log, store.checkpoint());
      for (long next = log.firstIndex(); next <= last; ) {
        for (Entry entry : log.entries(next, last + 1, CHUNK_BYTES)) {
          if (entry.type() == EntryType.NORMAL && entry.data().length > 0) {
            EtcdRequests.of(entry.data()).forEach(request -> out.println(Base64.getEncoder().encodeToString(request)));
          }
          next = entry.index() + 1;
        }
      }
    }
    out.flush();
    return 0;
  }

  /**
   * The last index that is known to be committed. The commit index in the log is written with the next entries or at rest, so after a kill it may lag behind what
   * was acknowledged:
   *
   * <ol>
   *   <li>what the checkpoint holds and what the log calls committed is;
   *   <li>behind that, as long as the membership up to an entry has this member as its only voter, the entry is: it is durable here, and no other vote counts;
   *   <li>the first entry that needs other votes ends it. Nobody can tell from this directory whether those were given.
   * </ol>
   */
  private static long committed(DataDirectory directory, SegmentedLog log, MvccStore.Checkpoint checkpoint) throws IOException {
    long known = Math.max(Math.min(log.hardState().commit(), log.lastIndex()), checkpoint.index());
    Genesis genesis = new GenesisFile(directory.member()).read();
    if (genesis == null) {
      return known;
    }
    Members members = new Members(genesis);
    members.restore(MachineState.parseFrom(checkpoint.machineState()));
    for (long next = checkpoint.index() + 1; next <= log.lastIndex(); ) {
      for (Entry entry : log.entries(next, log.lastIndex() + 1, CHUNK_BYTES)) {
        boolean alone = members.view().membership().voters().equals(Set.of(genesis.memberId()));
        if (entry.index() > known && !alone) {
          return known;
        }
        known = Math.max(known, entry.index());
        if (entry.type() == EntryType.MEMBERSHIP) {
          members.apply(MembershipChange.decode(entry.data()));
        }
        next = entry.index() + 1;
      }
    }
    return known;
  }

  /** Prints who the member is and how far it is, as one JSON object. */
  int inspect() throws IOException, DataDirectory.RefusedException {
    try (DataDirectory directory = open();
        SegmentedLog log = SegmentedLog.open(directory.log(), LogOptions.defaults());
        MvccStore store = MvccStore.open(directory.store(), MvccOptions.DEFAULT)) {
      Genesis genesis = new GenesisFile(directory.member()).read();
      HardState state = log.hardState();
      MvccStore.Checkpoint checkpoint = store.checkpoint();
      MachineState machine = MachineState.parseFrom(checkpoint.machineState());
      out.printf(
          "{\"cluster_id\":\"%s\",\"member_id\":\"%s\",\"term\":%d,\"commit\":%d,\"first_index\":%d,\"last_index\":%d,\"last_term\":%d,"
              + "\"checkpoint\":{\"index\":%d,\"term\":%d,\"revision\":%d,\"members\":%d},\"revision\":%d,\"compact_revision\":%d,\"size_bytes\":%d}%n",
          hex(genesis == null ? 0 : genesis.clusterId()), hex(genesis == null ? 0 : genesis.memberId()), state.term(), committed(directory, log, checkpoint),
          log.firstIndex(), log.lastIndex(), log.lastIndex() < log.firstIndex() ? checkpoint.term() : log.term(log.lastIndex()),
          checkpoint.index(), checkpoint.term(), checkpoint.revision(), machine.getMembersCount(),
          store.revision(), store.compactRevision(), store.sizeBytes());
    }
    out.flush();
    return 0;
  }

  private static String hex(long id) {
    return MemberIds.hex(id);
  }

  private DataDirectory open() throws IOException, DataDirectory.RefusedException {
    if (!DataDirectory.isMember(dataDirectory)) {
      throw new DataDirectory.RefusedException(dataDirectory + " is not a member's data directory");
    }
    return DataDirectory.open(dataDirectory, walDirectory != null ? walDirectory : DataDirectory.knownLog(dataDirectory));
  }
}
