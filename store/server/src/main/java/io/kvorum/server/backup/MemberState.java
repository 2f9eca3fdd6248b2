package io.kvorum.server.backup;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.ReadView;
import io.kvorum.raft.LogView;
import io.kvorum.raft.log.SegmentedLog;
import io.kvorum.raft.node.RaftNode;
import java.util.concurrent.CompletableFuture;

/**
 * Where a member's backups come from.
 *
 * @param genesis who founded the cluster, encoded
 * @param name --name
 */
public record MemberState(MvccStore store, RaftNode node, SegmentedLog log, byte[] genesis, String name) {
  /**
   * The history as of one entry; the view is to be closed.
   *
   * @param index of that entry
   * @param term of that entry
   */
  record Frozen(ReadView view, long index, long term) {}

  /** The newest state; fails with IllegalStateException while the member stops. */
  CompletableFuture<Frozen> freeze() {
    return node.atPosition(position -> new Frozen(store.view(), position.index(), position.term()));
  }

  /** The leader's clock in an entry, 0 when it has none or the log does not hold it. */
  long timeOf(long index) {
    try {
      return index < 1 ? 0 : log.entries(index, index + 1, 1).getFirst().timeMillis();
    } catch (LogView.CompactedException | IndexOutOfBoundsException gone) {
      return 0;
    }
  }

  /** Whether an entry is the one of that term, as far as this member's log can tell; 0 stands for the beginning. */
  boolean holds(long index, long term) {
    try {
      return index == 0 || log.term(index) == term;
    } catch (LogView.CompactedException | IndexOutOfBoundsException gone) {
      return false;
    }
  }
}
