package io.kvorum.server.backup;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.raft.Entry;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.apply.Machine;
import io.kvorum.server.apply.WaitingCalls;
import io.kvorum.server.auth.AuthState;
import io.kvorum.server.backup.repository.Target;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.lease.Lessor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;

/** Applies the log of a chain to a store, as a member does, and stops where the target is reached. */
final class LogReplay {
  /** Entries that are published together, where no revision has to be hit. */
  private static final int BATCH = 1_000;

  private final MvccStore store;
  private final Members members;
  private final Machine machine;
  private final Target target;
  private long term;
  private long bytes;
  private int batched;

  LogReplay(MvccStore store, Genesis genesis, Target target) {
    this.store = store;
    this.members = new Members(genesis);
    this.machine = new Machine(new Machine.Parts(store, new Lessor(System::nanoTime), members, new Alarms(), new AuthState()), WaitingCalls.NONE, List.of());
    this.target = target;
    this.term = store.checkpoint().term();
  }

  /**
   * Applies a chunk.
   *
   * @param lastRevision that the state behind it has at most
   * @return whether more is wanted
   */
  boolean apply(byte[] chunk, long lastRevision) throws IOException {
    boolean near = target instanceof Target.AtRevision at && lastRevision >= at.revision();
    boolean more = !reached() && LogChunks.read(new ByteArrayInputStream(chunk), entry -> apply(entry, near ? 1 : BATCH));
    publish();
    return more && !reached();
  }

  private boolean apply(Entry entry, int batch) throws IOException {
    if (entry.index() <= machine.appliedIndex()) {
      return true;
    }
    if (entry.index() != machine.appliedIndex() + 1) {
      throw new IOException("entry " + entry.index() + " follows " + machine.appliedIndex());
    }
    if (target instanceof Target.AtTime at && entry.timeMillis() > at.time().toEpochMilli()) {
      return false;
    }
    switch (entry.type()) {
      case NORMAL -> machine.apply(entry);
      case MEMBERSHIP -> {
        MembershipChange change = MembershipChange.decode(entry.data());
        machine.applyMembership(entry, change, members.view().membership().with(change));
      }
    }
    term = entry.term();
    bytes += entry.sizeBytes();
    if (++batched >= batch) {
      publish();
      return !reached();
    }
    return true;
  }

  /** Whether the revision that is wanted is there. */
  private boolean reached() {
    return target instanceof Target.AtRevision at && store.revision() >= at.revision();
  }

  private void publish() throws IOException {
    machine.endBatch(machine.appliedIndex());
    batched = 0;
    if (machine.wantsCheckpoint(bytes)) {
      checkpoint();
    }
  }

  private void checkpoint() throws IOException {
    machine.checkpoint(new SnapshotMeta(machine.appliedIndex(), term, members.view().membership()));
    bytes = 0;
  }

  /** Makes the result durable. */
  void finish() throws IOException {
    publish();
    checkpoint();
  }

  long index() {
    return machine.appliedIndex();
  }

  MachineState state() {
    return machine.state();
  }
}
