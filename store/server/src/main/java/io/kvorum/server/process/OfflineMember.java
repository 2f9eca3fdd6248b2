package io.kvorum.server.process;

import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.raft.log.LogOptions;
import io.kvorum.raft.log.SegmentedLog;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.apply.Machine;
import io.kvorum.server.apply.WaitingCalls;
import io.kvorum.server.auth.AuthState;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.GenesisFile;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.lease.Lessor;
import io.kvorum.server.migrate.FrozenState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * The state of a member that was stopped or killed, with all that it knows to be committed. The directory is locked while this is open, and what it holds stays as it is: what is
 * applied here is neither sealed nor named by a manifest.
 */
final class OfflineMember implements AutoCloseable {
  private final DataDirectory directory;
  private final SegmentedLog log;
  private final MvccStore store;
  private final Machine machine;
  private final long uncertain;

  private OfflineMember(DataDirectory directory, SegmentedLog log, MvccStore store, Genesis genesis) {
    this.directory = directory;
    this.log = log;
    this.store = store;
    Members members = new Members(genesis);
    this.machine = new Machine(new Machine.Parts(store, new Lessor(System::nanoTime), members, new Alarms(), new AuthState()), WaitingCalls.NONE, List.of());
    // A sole voter commits with its own fsync; it has no need to note how far.
    boolean alone = members.view().membership().voters().size() == 1;
    long committed = alone ? log.lastIndex() : Math.min(log.lastIndex(), Math.max(log.hardState().commit(), machine.appliedIndex()));
    Replay.run(machine, members, log, committed);
    this.uncertain = Math.max(0, log.lastIndex() - machine.appliedIndex());
  }

  /**
   * Opens and applies.
   *
   * @param walDirectory where the log is, null for inside
   * @throws DataDirectory.RefusedException when this is no member's directory, or a process runs on it
   */
  static OfflineMember open(Path dataDirectory, Path walDirectory) throws IOException, DataDirectory.RefusedException {
    if (!DataDirectory.isMember(dataDirectory)) {
      throw new DataDirectory.RefusedException(dataDirectory + " is not a member's data directory");
    }
    DataDirectory directory = DataDirectory.open(dataDirectory, walDirectory);
    SegmentedLog log = null;
    MvccStore store = null;
    boolean opened = false;
    try {
      Genesis genesis = new GenesisFile(directory.member()).read();
      if (genesis == null) {
        throw new DataDirectory.RefusedException(dataDirectory + " belongs to a member that never started");
      }
      log = SegmentedLog.open(directory.log(), LogOptions.defaults());
      store = MvccStore.open(directory.store(), MvccOptions.DEFAULT);
      OfflineMember member = new OfflineMember(directory, log, store, genesis);
      opened = true;
      return member;
    } finally {
      if (!opened) {
        close(store, log, directory);
      }
    }
  }

  /** All that was applied; closed before this is. */
  FrozenState freeze() {
    long index = machine.appliedIndex();
    long term = index >= log.firstIndex() && index <= log.lastIndex() ? log.term(index) : store.checkpoint().term();
    return new FrozenState(store.view(), machine.state(), index, term);
  }

  /** Entries at the end of the log of which this member alone cannot tell whether they were committed; they are left out. */
  long uncertain() {
    return uncertain;
  }

  @Override
  public void close() throws IOException {
    close(store, log, directory);
  }

  private static void close(MvccStore store, SegmentedLog log, DataDirectory directory) throws IOException {
    try (directory;
        log) {
      if (store != null) {
        store.close();
      }
    }
  }
}
