package io.kvorum.server.lease;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Leases by the time at which each wants attention. A renewal does not touch it: an entry that comes up too early is put back at the lease's own, later time.
 * So keep-alives cost nothing here, and each lease comes up about once per TTL. Belongs to one thread.
 */
final class LeaseTimes {
  static final int GONE_TOLERATED = 1_024;

  private final PriorityQueue<Entry> entries = new PriorityQueue<>(Comparator.comparingLong(Entry::at));
  private final DueTime dueTime;

  /** @param dueTime when a lease really wants attention, as of now */
  LeaseTimes(DueTime dueTime) {
    this.dueTime = dueTime;
  }

  /** Tells a lease's present due time. */
  @FunctionalInterface
  interface DueTime {
    long of(Lease lease);
  }

  void clear() {
    entries.clear();
  }

  int size() {
    return entries.size();
  }

  void add(Lease lease) {
    add(lease, dueTime.of(lease));
  }

  void add(Lease lease, long at) {
    entries.add(new Entry(at, lease));
  }

  /**
   * Forgets leases that are gone, once they are more than half: leases that are revoked long before their time must not pile up.
   *
   * @param live how many leases there are
   */
  void forgetGone(int live) {
    if (entries.size() > 2 * live + GONE_TOLERATED) {
      entries.removeIf(entry -> entry.lease.gone());
    }
  }

  /** Takes out up to {@code max} leases whose due time has come; those that are gone are forgotten. */
  List<Lease> due(long now, int max) {
    List<Lease> due = new ArrayList<>();
    while (due.size() < max && !entries.isEmpty() && entries.peek().at <= now) {
      Lease lease = entries.remove().lease;
      if (lease.gone()) {
        continue;
      }
      long at = dueTime.of(lease);
      if (at <= now) {
        due.add(lease);
      } else {
        entries.add(new Entry(at, lease));
      }
    }
    return due;
  }

  private record Entry(long at, Lease lease) {}
}
