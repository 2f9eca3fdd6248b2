package io.kvorum.server.process;

import io.kvorum.raft.Entry;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.log.SegmentedLog;
import io.kvorum.server.apply.Machine;
import io.kvorum.server.cluster.Members;

/** Applies the log of a member that does not run. */
final class Replay {
  private static final long CHUNK_BYTES = 16L << 20;

  private Replay() {}

  /**
   * Applies what lies behind the machine's checkpoint.
   *
   * @param last index of the last entry to apply
   */
  static void run(Machine machine, Members members, SegmentedLog log, long last) {
    for (long next = Math.max(machine.appliedIndex() + 1, log.firstIndex()); next <= last; next = machine.appliedIndex() + 1) {
      for (Entry entry : log.entries(next, last + 1, CHUNK_BYTES)) {
        apply(machine, members, entry);
      }
      machine.endBatch(machine.appliedIndex());
    }
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
