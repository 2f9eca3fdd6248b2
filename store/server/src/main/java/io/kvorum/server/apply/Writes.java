package io.kvorum.server.apply;

import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.server.base.EtcdError;
import java.util.ArrayList;
import java.util.List;

/**
 * The key-value history as apply writes it: the newest revision and floor, published or not, and the changes of the batch under way. Nothing here may depend on
 * where a batch ends, because batches differ between members.
 */
final class Writes {
  private final MvccStore store;
  private final LeaseState leases;
  private long revision;
  private long floor;
  private List<Change> changes = new ArrayList<>();
  private boolean floorMoved;

  Writes(MvccStore store, LeaseState leases) {
    this.store = store;
    this.leases = leases;
    reset();
  }

  /** The store was opened or replaced. */
  void reset() {
    revision = store.revision();
    floor = store.compactRevision();
    changes = new ArrayList<>();
    floorMoved = false;
  }

  /** Newest revision, published or not. */
  long revision() {
    return revision;
  }

  /** Newest floor, published or not; -1 before any compaction. */
  long floor() {
    return floor;
  }

  WriteTxn begin() {
    return store.begin();
  }

  /** Ends a transaction: its changes attach and detach leases and join the batch. */
  void end(WriteTxn txn) {
    revision = txn.revision();
    for (Change change : txn.end()) {
      if (change.lease() != 0 || change.previousLease() != 0) {
        leases.changed(change);
      }
      changes.add(change);
    }
  }

  /** Null, or why not. Revision 0 and below are refused as compacted: there is nothing before revision 1. */
  EtcdError compact(long at) {
    if (at > revision) {
      return EtcdError.FUTURE_REVISION;
    }
    if (at <= floor || at <= 0) {
      return EtcdError.COMPACTED;
    }
    store.compact(at);
    floor = at;
    floorMoved = true;
    return null;
  }

  /** Makes the batch visible and tells the listeners. */
  void publish(List<ChangeListener> listeners) {
    if (floorMoved || !changes.isEmpty()) {
      store.publish();
    }
    List<Change> published = List.of();
    if (!changes.isEmpty()) {
      published = changes;
      changes = new ArrayList<>();
    }
    for (ChangeListener listener : listeners) {
      listener.published(revision, published);
    }
    if (floorMoved) {
      floorMoved = false;
      for (ChangeListener listener : listeners) {
        listener.compacted(floor);
      }
    }
  }
}
