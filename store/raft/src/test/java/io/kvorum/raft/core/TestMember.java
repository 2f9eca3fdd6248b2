package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.HardState;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import java.util.ArrayDeque;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;

/**
 * A core with a driver as plain as can be: a disk whose writes take effect one by one when the test says so, a state machine that applies
 * when the test says so, and a crash that keeps the durable part only.
 */
class TestMember {
  /** What one Ready wants on the disk, and what waits for it. */
  record Write(SnapshotMeta install, HardState hardState, List<Entry> append, List<Message> promises) {
    boolean isEmpty() {
      return install == null && hardState == null && append.isEmpty();
    }
  }

  final long id;
  final RaftConfig config;
  private final IntUnaryOperator jitter;
  private final Rules rules;
  private final Consumer<Message> network;
  RaftCore core;
  MemoryLog view;
  MemoryLog durable = new MemoryLog();
  HardState hardState = HardState.EMPTY;
  /** What a restart begins with. */
  SnapshotMeta checkpoint;
  final ArrayDeque<Write> writes = new ArrayDeque<>();
  final ArrayDeque<Entry> toApply = new ArrayDeque<>();
  long applied;
  long appliedTerm;

  TestMember(RaftConfig config, Membership membership, IntUnaryOperator jitter, Rules rules, Consumer<Message> network) {
    this.id = config.id();
    this.config = config;
    this.jitter = jitter;
    this.rules = rules;
    this.network = network;
    this.checkpoint = new SnapshotMeta(0, 0, membership);
    start();
  }

  final void start() {
    view = durable.copy();
    applied = checkpoint.index();
    appliedTerm = checkpoint.term();
    core = new RaftCore(config, hardState, checkpoint.membership(), checkpoint.index(), view, jitter, () -> checkpoint, rules);
  }

  boolean isUp() {
    return core != null;
  }

  /**
   * Stops at once.
   *
   * @param tornEntries entries of the oldest write under way that reached the disk although its sync did not end; -1 for not even its hard state
   */
  void crash(int tornEntries) {
    Write torn = writes.peek();
    if (torn != null && tornEntries >= 0 && torn.install() == null) {
      if (torn.hardState() != null) {
        hardState = torn.hardState();
      }
      durable.append(torn.append().subList(0, Math.min(tornEntries, torn.append().size())));
    }
    writes.clear();
    toApply.clear();
    core = null;
    view = null;
  }

  /** Takes all Readys; returns whether there was any. */
  boolean pump() {
    boolean any = false;
    while (core.hasReady()) {
      any = true;
      take(core.ready());
    }
    return any;
  }

  void take(Ready ready) {
    ready.send().forEach(network);
    if (ready.install() != null) {
      toApply.clear();
      view.reset(ready.install());
      applied = ready.install().index();
      appliedTerm = ready.install().term();
      onInstall(ready.install());
    }
    view.append(ready.append());
    writes.add(new Write(ready.install(), ready.hardState(), ready.append(), ready.sendAfterPersist()));
    while (!writes.isEmpty() && writes.peek().isEmpty()) {
      writes.remove().promises().forEach(network);
    }
    toApply.addAll(ready.committed());
    ready.reads().forEach(this::onRead);
  }

  /** Ends the oldest write; returns false when there is none. */
  boolean sync() {
    Write write = writes.poll();
    if (write == null) {
      return false;
    }
    if (write.install() != null) {
      durable.reset(write.install());
      checkpoint = write.install();
      core.installed(write.install());
    }
    if (write.hardState() != null) {
      hardState = write.hardState();
    }
    durable.append(write.append());
    write.promises().forEach(network);
    if (!write.append().isEmpty()) {
      Entry last = write.append().getLast();
      core.persisted(last.index(), last.term());
    }
    while (!writes.isEmpty() && writes.peek().isEmpty()) {
      writes.remove().promises().forEach(network);
    }
    return true;
  }

  /** Applies at most {@code max} entries; returns false when there are none. */
  boolean apply(int max) {
    if (toApply.isEmpty()) {
      return false;
    }
    for (int i = 0; i < max && !toApply.isEmpty(); i++) {
      Entry entry = toApply.remove();
      if (entry.index() != applied + 1) {
        throw new IllegalStateException("member " + id + " was given entry " + entry.index() + " after " + applied);
      }
      applied = entry.index();
      appliedTerm = entry.term();
      if (entry.type() == EntryType.MEMBERSHIP) {
        MembershipChange change = MembershipChange.decode(entry.data());
        core.applyMembership(change, accepts(change));
      }
      onApply(entry);
    }
    core.applied(applied);
    return true;
  }

  /** Takes a checkpoint and cuts the log, keeping some entries for followers. */
  void checkpoint(int keep) {
    checkpoint = new SnapshotMeta(applied, appliedTerm, core.status().membership());
    view.cutTo(applied - keep);
    durable.cutTo(applied - keep);
  }

  /** The last voter stays. */
  private boolean accepts(MembershipChange change) {
    return !core.status().membership().with(change).voters().isEmpty();
  }

  void onApply(Entry entry) {}

  void onInstall(SnapshotMeta meta) {}

  void onRead(Ready.ReadState state) {}
}
