package io.kvorum.server.process;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.apply.ApplyMeter;
import io.kvorum.server.apply.Machine;
import io.kvorum.server.auth.AuthState;
import io.kvorum.server.auth.SimpleTokens;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Limits;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.kv.RevisionWaits;
import io.kvorum.server.lease.Lessor;
import io.kvorum.server.migrate.FrozenState;
import io.kvorum.server.propose.PendingCalls;
import io.kvorum.server.watch.WatchHub;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;

/**
 * The replicated state of one member, and those who hear of its changes.
 *
 * @param auth users and permissions
 * @param tokens simple ones, heard from the log in any case: other members may be told to use them
 * @param calls calls that wait for their entry to be applied
 * @param waits reads that wait for a revision
 * @param machine what the log is applied to
 * @param meter counts what is applied and read
 * @param kernel set once consensus is there; headers of watch answers need it
 */
record Replica(
    MvccStore store,
    Members members,
    Lessor lessor,
    Alarms alarms,
    AuthState auth,
    SimpleTokens tokens,
    PendingCalls calls,
    RevisionWaits waits,
    WatchHub watches,
    Machine machine,
    ApplyMeter meter,
    AtomicReference<Kernel> kernel) {
  private static final long FUTURE_READ_MILLIS = 1_000;

  /**
   * As of the store's checkpoint.
   *
   * @param slowApply requests that take longer are logged
   */
  static Replica open(Genesis genesis, MvccStore store, SimpleTokens tokens, Limits limits, Duration slowApply, Threads threads, RandomGenerator random) {
    Members members = new Members(genesis);
    Lessor lessor = new Lessor(System::nanoTime);
    Alarms alarms = new Alarms();
    AuthState auth = new AuthState(tokens);
    PendingCalls calls = new PendingCalls(genesis.memberId(), System.currentTimeMillis(), System::nanoTime, limits);
    RevisionWaits waits = new RevisionWaits(threads.timer(), threads.readers(), FUTURE_READ_MILLIS);
    AtomicReference<Kernel> kernel = new AtomicReference<>();
    WatchHub watches = new WatchHub(store, revision -> kernel.get().header(revision), limits, System::nanoTime, random);
    ApplyMeter meter = new ApplyMeter(slowApply);
    Machine machine = new Machine(new Machine.Parts(store, lessor, members, alarms, auth), calls, List.of(watches, waits), meter);
    return new Replica(store, members, lessor, alarms, auth, tokens, calls, waits, watches, machine, meter, kernel);
  }

  /** Everything as of one position in the log; only where that position cannot move: on the raft thread. */
  FrozenState freeze(SnapshotMeta position) {
    return new FrozenState(store.view(), machine.state(), position.index(), position.term());
  }
}
