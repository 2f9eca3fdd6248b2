package io.kvorum.server.lease;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;

/**
 * One lease. What is replicated (id, TTL, checkpointed remainder, keys) is changed by the raft thread alone; the deadline belongs to the leader's memory and
 * is moved by any thread, by compare-and-set, so that a renewal and an expiry can never both win.
 */
final class Lease {
  /** Deadline of a lease whose revocation has begun: it can no longer be renewed. */
  static final long REVOKING = Long.MIN_VALUE;

  static final long NANOS_PER_SECOND = 1_000_000_000L;

  private final long id;
  private final long ttlSeconds;
  private final AtomicLong deadline = new AtomicLong();
  private volatile long remainingSeconds;
  private volatile boolean gone;
  private volatile boolean checkpointing;

  /** When the remaining time was last made certain: by a renewal, a promotion or a checkpoint. */
  private volatile long checkpointBase;

  /** Null, one key, or a {@code TreeSet} of them: most leases hold one key. Guarded by this. */
  private Object keys;

  /** Told when the lease is gone or this member no longer leads. Guarded by this. */
  private List<RevocationWaiter> waiters;

  Lease(long id, long ttlSeconds, long remainingSeconds) {
    this.id = id;
    this.ttlSeconds = ttlSeconds;
    this.remainingSeconds = remainingSeconds;
  }

  /** Hears how waiting for a revocation ended. */
  interface RevocationWaiter {
    /** @param revoked false: this member stopped leading before */
    void ended(boolean revoked);
  }

  long id() {
    return id;
  }

  long ttlSeconds() {
    return ttlSeconds;
  }

  /** Seconds that were left at the last checkpoint; 0: none since the last renewal. */
  long remainingSeconds() {
    return remainingSeconds;
  }

  void remainingSeconds(long seconds) {
    remainingSeconds = seconds;
  }

  long deadline() {
    return deadline.get();
  }

  long checkpointBase() {
    return checkpointBase;
  }

  /** A checkpoint is being made: from before its deadline is read until the outcome is known. */
  void checkpointBegins(long now) {
    checkpointing = true;
    checkpointBase = now;
  }

  void checkpointEnds() {
    checkpointing = false;
  }

  /** The log holds, or may be about to hold, a remainder that a renewal has to take back. */
  boolean isCheckpointed() {
    return remainingSeconds > 0 || checkpointing;
  }

  boolean gone() {
    return gone;
  }

  /** Starts counting, whatever was counted before. */
  void start(long now, long newDeadline) {
    checkpointBase = now;
    deadline.set(newDeadline);
  }

  /** Gives the full TTL again; false when the deadline has passed or the revocation has begun. */
  boolean renew(long now) {
    long due = deadline.get();
    while (due > now) {
      if (deadline.compareAndSet(due, deadlineAfter(now, ttlSeconds))) {
        checkpointBase = now;
        return true;
      }
      due = deadline.get();
    }
    return false;
  }

  /** Marks the lease for revocation if its deadline has passed; false when it was renewed. */
  boolean expire(long now) {
    long due = deadline.get();
    return due == REVOKING || due <= now && deadline.compareAndSet(due, REVOKING);
  }

  /** Whole seconds left, cut off; 0 when the deadline has passed. */
  long secondsLeft(long now) {
    long due = deadline.get();
    return due <= now ? 0 : (due - now) / NANOS_PER_SECOND;
  }

  /** @return the instant that many seconds ahead, or the end of time */
  static long deadlineAfter(long now, long seconds) {
    long nanos = seconds * NANOS_PER_SECOND;
    long at = now + nanos;
    return seconds > Long.MAX_VALUE / NANOS_PER_SECOND || at < now ? Long.MAX_VALUE : at;
  }

  synchronized void attach(byte[] key) {
    if (keys == null) {
      keys = key;
    } else if (keys instanceof byte[] only) {
      if (!Arrays.equals(only, key)) {
        TreeSet<byte[]> set = new TreeSet<>(Arrays::compareUnsigned);
        set.add(only);
        set.add(key);
        keys = set;
      }
    } else {
      set().add(key);
    }
  }

  synchronized void detach(byte[] key) {
    if (keys instanceof byte[] only) {
      if (Arrays.equals(only, key)) {
        keys = null;
      }
    } else if (keys != null) {
      set().remove(key);
    }
  }

  synchronized void detachAll() {
    keys = null;
  }

  /** The keys in order, as they are now. */
  synchronized List<byte[]> keys() {
    if (keys == null) {
      return List.of();
    }
    return keys instanceof byte[] only ? List.of(only) : new ArrayList<>(set());
  }

  @SuppressWarnings("unchecked")
  private TreeSet<byte[]> set() {
    return (TreeSet<byte[]>) keys;
  }

  /** Calls the waiter when the lease is gone; at once when it is already. */
  void whenGone(RevocationWaiter waiter) {
    synchronized (this) {
      if (!gone) {
        if (waiters == null) {
          waiters = new ArrayList<>(1);
        }
        waiters.add(waiter);
        return;
      }
    }
    waiter.ended(true);
  }

  /** The lease was revoked, everywhere. */
  void end() {
    List<RevocationWaiter> told;
    synchronized (this) {
      gone = true;
      told = takeWaiters();
    }
    told.forEach(waiter -> waiter.ended(true));
  }

  /** This member leads no more: nobody here will see the revocation through. */
  void abandon() {
    List<RevocationWaiter> told;
    synchronized (this) {
      told = takeWaiters();
    }
    told.forEach(waiter -> waiter.ended(false));
  }

  private List<RevocationWaiter> takeWaiters() {
    List<RevocationWaiter> taken = waiters == null ? List.of() : waiters;
    waiters = null;
    return taken;
  }
}
