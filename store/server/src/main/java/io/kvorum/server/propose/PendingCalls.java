package io.kvorum.server.propose;

import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.apply.WaitingCalls;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Limits;
import java.lang.System.Logger.Level;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The writes of this member that wait for their entry to be applied; at most 65,536.
 *
 * <p>Request ids ascend, so a slot is found by the id's low bits, without hashing or boxing. Whoever swaps a call out of its slot completes it: apply, the
 * time-out, a refusal or the shutdown; the others find it gone. Ids are unique in the cluster and over restarts: 16 bits of the member id, then 48 bits that start
 * at 256 times the start time in milliseconds (etcd's request ids are made alike), so a restarted member does not meet ids of its former life while it proposes
 * less than 256 requests a millisecond.
 */
public final class PendingCalls implements WaitingCalls {
  static final int CAPACITY = 1 << 16;

  private static final System.Logger LOG = System.getLogger(PendingCalls.class.getName());
  private static final int SLOT_MASK = CAPACITY - 1;
  private static final int COUNTER_BITS = 48;
  private static final long COUNTER_MASK = (1L << COUNTER_BITS) - 1;
  private static final int ATTEMPTS_MAX = 64;

  private final AtomicReferenceArray<Call> slots = new AtomicReferenceArray<>(CAPACITY);
  private final long prefix;
  private final AtomicLong counter;
  private final LongSupplier nanoTime;
  private final long timeoutNanos;
  private final LeadershipHistory leadership;
  private volatile boolean closed;
  private long sweptAt;
  private boolean sweptPending;

  /** Written by the sweeping timer alone. */
  private volatile long timedOut;

  /**
   * @param memberId this member
   * @param startMillis the start of this process, milliseconds since the epoch
   * @param nanoTime a monotonic clock, nanoseconds
   * @param limits for the request time-out and the election timeout
   */
  public PendingCalls(long memberId, long startMillis, LongSupplier nanoTime, Limits limits) {
    this.prefix = memberId << COUNTER_BITS;
    this.counter = new AtomicLong(startMillis << 8);
    this.nanoTime = nanoTime;
    this.timeoutNanos = TimeUnit.MILLISECONDS.toNanos(limits.requestMillis());
    this.leadership = new LeadershipHistory(nanoTime.getAsLong(), TimeUnit.MILLISECONDS.toNanos(limits.electionMillis()));
    this.sweptAt = counter.get();
  }

  /**
   * Takes a slot for a call.
   *
   * @return the call, or null when too many wait
   */
  Call register(Completion<?> completion) {
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      long id = prefix | (counter.getAndIncrement() & COUNTER_MASK);
      if (id == 0) {
        continue;
      }
      Call call = new Call(id, nanoTime.getAsLong(), completion);
      if (slots.compareAndSet(slot(id), null, call)) {
        if (closed) {
          call.refused(EtcdError.SERVER_STOPPED);
        }
        return call;
      }
    }
    return null;
  }

  @Override
  public Waiting find(long requestId) {
    Call call = slots.get(slot(requestId));
    return call != null && call.id == requestId ? call : null;
  }

  @Override
  public void leadershipChanged(RaftStatus status) {
    leadership.changed(status, nanoTime.getAsLong());
  }

  /** Calls that wait at present; looks at all slots. */
  int waiting() {
    int count = 0;
    for (int slot = 0; slot < CAPACITY; slot++) {
      count += slots.getPlain(slot) == null ? 0 : 1;
    }
    return count;
  }

  /** Calls that were given up after the request limit. */
  long timedOut() {
    return timedOut;
  }

  /** Gives up what waits for longer than the request limit. Called by one timer, every few hundred milliseconds. */
  void sweep(Supplier<RaftStatus> status) {
    long registered = counter.get();
    if (registered == sweptAt && !sweptPending) {
      return;
    }
    sweptAt = registered;
    sweptPending = false;
    long now = nanoTime.getAsLong();
    for (int slot = 0; slot < CAPACITY; slot++) {
      Call call = slots.get(slot);
      if (call == null) {
        continue;
      }
      if (now - call.startNanos >= timeoutNanos) {
        timedOut++;
        call.refused(leadership.reason(call.startNanos, status.get()));
      } else {
        sweptPending = true;
      }
    }
  }

  /** Fails whatever waits with SERVER_STOPPED, now and later. */
  void close() {
    closed = true;
    for (int slot = 0; slot < CAPACITY; slot++) {
      Call call = slots.get(slot);
      if (call != null) {
        call.refused(EtcdError.SERVER_STOPPED);
      }
    }
  }

  private static int slot(long id) {
    return (int) id & SLOT_MASK;
  }

  /** One waiting call. */
  final class Call implements Waiting {
    private final long id;
    private final long startNanos;
    private final Completion<?> completion;

    private Call(long id, long startNanos, Completion<?> completion) {
      this.id = id;
      this.startNanos = startNanos;
      this.completion = completion;
    }

    long id() {
      return id;
    }

    @Override
    public void succeeded(Object answer) {
      if (slots.compareAndSet(slot(id), this, null)) {
        try {
          done(completion, answer);
        } catch (RuntimeException broken) {
          LOG.log(Level.WARNING, "a call did not take its answer", broken);
        }
      }
    }

    @Override
    public void refused(EtcdError reason) {
      if (slots.compareAndSet(slot(id), this, null)) {
        try {
          completion.failed(reason.exception());
        } catch (RuntimeException broken) {
          LOG.log(Level.WARNING, "a call did not take its refusal", broken);
        }
      }
    }

    /** The caller of {@link io.kvorum.server.base.Proposals#propose} named the type that its request is answered with. */
    @SuppressWarnings("unchecked")
    private static <T> void done(Completion<T> completion, Object answer) {
      completion.done((T) answer);
    }
  }
}
