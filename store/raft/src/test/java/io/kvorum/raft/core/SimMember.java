package io.kvorum.raft.core;

import io.kvorum.raft.Entry;
import io.kvorum.raft.Membership;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.IntUnaryOperator;

/** A member of the simulator: tells the checker what it does. */
final class SimMember extends TestMember {
  private final Checker checker;
  /** Reads that were asked: what was committed then. */
  private final Map<Long, Long> reads = new HashMap<>();
  long seenLeadingTerm;
  long seenCommit;
  long incarnation;
  long pausedUntil;
  long createdAt;
  boolean syncScheduled;
  boolean applyScheduled;
  boolean retired;
  long readsAnswered;

  SimMember(RaftConfig config, Membership membership, IntUnaryOperator jitter, Rules rules, Consumer<Message> network, Checker checker) {
    super(config, membership, jitter, rules, network);
    this.checker = checker;
  }

  void ask(long context) {
    reads.put(context, checker.maxCommitted());
    core.readIndex(context);
  }

  @Override
  boolean sync() {
    List<Entry> stored = writes.isEmpty() ? List.of() : writes.peek().append();
    boolean any = super.sync();
    checker.stores(this, stored);
    return any;
  }

  @Override
  void crash(int tornEntries) {
    super.crash(tornEntries);
    reads.clear();
    incarnation++;
    syncScheduled = false;
    applyScheduled = false;
  }

  void restart() {
    start();
    seenLeadingTerm = 0;
    seenCommit = checkpoint.index();
    checker.observes(this);
  }

  @Override
  void take(Ready ready) {
    if (!ready.append().isEmpty() && ready.install() == null) {
      checker.appends(this, ready.append());
    }
    super.take(ready);
  }

  @Override
  void onApply(Entry entry) {
    checker.applies(this, entry);
  }

  @Override
  void onInstall(SnapshotMeta meta) {
    checker.installs(this, meta);
  }

  @Override
  void onRead(Ready.ReadState state) {
    Long least = reads.remove(state.context());
    Checker.require(least != null, "read " + state.context() + " was answered twice or never asked");
    if (state.index() < 0) {
      return;
    }
    readsAnswered++;
    String what = "member " + id + " was given index " + state.index() + " though " + least + " was committed before it asked";
    Checker.require(state.index() >= least, "linearizable read: " + what);
  }
}
