package io.kvorum.server.lease;

import io.kvorum.mvcc.Change;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.LeaseCheckpoint;
import io.kvorum.protocol.etcdserverpb.LeaseCheckpointRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.StoredLease;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.apply.LeaseState;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.metrics.Histogram;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * The leases of this member: the replicated facts, changed by the raft thread through {@link LeaseState}, and, while this member is the primary lessor, their
 * deadlines.
 *
 * <p>A member becomes primary when it leads <em>and</em> {@link #promote} was called for that term, which happens once it has applied an entry of its own
 * term; then each lease starts again with its full TTL, or what was left at its last checkpoint, plus an extension. It stops being primary the moment the raft
 * thread reports any other term or role. Time never decides anything in the replicated state.
 */
public final class Lessor implements LeaseState, MetricSource {
  /** Largest TTL that can be granted, seconds. */
  public static final long MAX_TTL_SECONDS = 9_000_000_000L;

  /** From this many leases on, deadlines are spread at promotion. */
  static final int SPREAD_FROM = 1_000;

  /** Deadlines in any one second after spreading; below the rate of revocation, so that a pile of old leases does not use all of it. */
  static final int SPREAD_PER_SECOND = 750;

  /** Of the histogram of TTLs: up to three months. */
  private static final int TTL_BOUNDS = 24;

  private final Map<Long, Lease> leases = new ConcurrentHashMap<>();

  /** Granted while this member leads, to be taken up by the keeper at its next check. */
  private final Queue<Lease> granted = new ConcurrentLinkedQueue<>();

  private final LongAdder grants = new LongAdder();
  private final LongAdder revocations = new LongAdder();
  private final Histogram ttls = Histogram.ofAmounts(1, TTL_BOUNDS);
  private final LongSupplier nanoClock;
  private final long origin;
  private volatile long leadTerm;
  private volatile long primaryTerm;
  private volatile Runnable leadershipListener = () -> {};

  /** @param nanoClock monotonic nanoseconds; steps of the wall clock must not show in it */
  public Lessor(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    this.origin = nanoClock.getAsLong();
  }

  /** Nanoseconds since this lessor was made: small numbers, so that the longest TTL can be added. */
  long now() {
    return nanoClock.getAsLong() - origin;
  }

  /** Runs on the raft thread after each change of role or term. Must not block. */
  void onLeadership(Runnable listener) {
    leadershipListener = listener;
  }

  @Override
  public boolean contains(long id) {
    return leases.containsKey(id);
  }

  @Override
  public EtcdError grant(LeaseGrantRequest request) {
    if (request.getTTL() > MAX_TTL_SECONDS) {
      return EtcdError.LEASE_TTL_TOO_LARGE;
    }
    if (contains(request.getID())) {
      return EtcdError.LEASE_ALREADY_EXISTS;
    }
    Lease lease = new Lease(request.getID(), request.getTTL(), 0);
    long now = now();
    lease.start(now, Lease.deadlineAfter(now, lease.ttlSeconds()));
    leases.put(lease.id(), lease);
    grants.increment();
    ttls.record(lease.ttlSeconds());
    if (leadTerm != 0) {
      granted.add(lease);
    }
    return null;
  }

  @Override
  public List<byte[]> keysOf(long id) {
    Lease lease = leases.get(id);
    return lease == null ? List.of() : lease.keys();
  }

  @Override
  public void revoked(long id) {
    Lease lease = leases.remove(id);
    if (lease != null) {
      revocations.increment();
      lease.end();
    }
  }

  @Override
  public void checkpoint(LeaseCheckpointRequest request) {
    for (LeaseCheckpoint checkpoint : request.getCheckpointsList()) {
      Lease lease = leases.get(checkpoint.getID());
      if (lease != null) {
        lease.remainingSeconds(checkpoint.getRemainingTTL());
      }
    }
  }

  @Override
  public void changed(Change change) {
    if (change.previousLease() != 0 && change.previousLease() != change.lease()) {
      Lease before = leases.get(change.previousLease());
      if (before != null) {
        before.detach(change.key());
      }
    }
    if (!change.delete() && change.lease() != 0) {
      attach(change.key(), change.lease());
    }
  }

  private void attach(byte[] key, long id) {
    Lease lease = leases.get(id);
    if (lease != null) {
      lease.attach(key);
    }
  }

  @Override
  public void rebuildAttachments(MvccStore store) {
    leases.values().forEach(Lease::detachAll);
    store.forEachLeased(this::attach);
  }

  @Override
  public void save(MachineState.Builder checkpoint) {
    checkpoint.clearLeases();
    leases.values().stream()
        .sorted(Comparator.comparingLong(Lease::id))
        .forEach(
            lease ->
                checkpoint.addLeases(
                    StoredLease.newBuilder().setId(lease.id()).setTtl(lease.ttlSeconds()).setRemainingTtl(lease.remainingSeconds())));
  }

  @Override
  public void restore(MachineState checkpoint) {
    List<Lease> before = new ArrayList<>(leases.values());
    leases.clear();
    granted.clear();
    for (StoredLease stored : checkpoint.getLeasesList()) {
      leases.put(stored.getId(), new Lease(stored.getId(), stored.getTtl(), stored.getRemainingTtl()));
    }
    before.forEach(Lease::abandon);
  }

  @Override
  public void leadershipChanged(RaftStatus status) {
    long term = status.isLeader() ? status.term() : 0;
    if (term != leadTerm) {
      leadTerm = term;
      granted.clear();
      leases.values().forEach(Lease::abandon);
    }
    leadershipListener.run();
  }

  @Override
  public void collect(MetricsText out) {
    out.counter("etcd_debugging_lease_granted_total", "The total number of granted leases.", grants.sum())
        .counter("etcd_debugging_lease_revoked_total", "The total number of revoked leases.", revocations.sum())
        .histogram("etcd_debugging_lease_ttl_total", "Bucketed histogram of lease TTLs.", ttls)
        .gauge("kvorum_leases", "Leases that are alive.", leases.size());
  }

  /** The term in which this member leads, 0 when it does not. */
  long leadTerm() {
    return leadTerm;
  }

  /** Whether this member decides about the lives of leases. */
  boolean primary() {
    long term = leadTerm;
    return term != 0 && primaryTerm == term;
  }

  int size() {
    return leases.size();
  }

  Lease find(long id) {
    return leases.get(id);
  }

  List<Lease> all() {
    return new ArrayList<>(leases.values());
  }

  /** Forgets which leases were granted so far: the caller looks after all of them. */
  void forgetGranted() {
    granted.clear();
  }

  /** Takes the next lease that was granted since this member leads, or null. */
  Lease nextGranted() {
    return granted.poll();
  }

  /**
   * Starts the clock of every lease, for a term in which this member leads and has applied an entry of its own. Deadlines that would come due together are
   * moved apart, never forward. One thread at a time.
   *
   * @param extensionMillis added to each deadline: clients could not renew while there was no leader
   */
  void promote(long term, long extensionMillis) {
    long now = now();
    long from = now + TimeUnit.MILLISECONDS.toNanos(extensionMillis);
    List<Lease> all = all();
    for (Lease lease : all) {
      long left = lease.remainingSeconds() > 0 ? lease.remainingSeconds() : lease.ttlSeconds();
      lease.start(now, Lease.deadlineAfter(from, left));
    }
    if (all.size() >= SPREAD_FROM) {
      spread(all, now);
    }
    if (leadTerm == term) {
      primaryTerm = term;
    }
  }

  /** Leaves at most {@value #SPREAD_PER_SECOND} deadlines in any second, each as early as that allows. */
  private static void spread(List<Lease> all, long now) {
    all.sort(Comparator.comparingLong(Lease::deadline));
    long[] slots = new long[all.size()];
    for (int i = 0; i < slots.length; i++) {
      slots[i] = all.get(i).deadline();
      if (i >= SPREAD_PER_SECOND) {
        slots[i] = Math.max(slots[i], Lease.deadlineAfter(slots[i - SPREAD_PER_SECOND], 1));
      }
      all.get(i).start(now, slots[i]);
    }
  }
}
