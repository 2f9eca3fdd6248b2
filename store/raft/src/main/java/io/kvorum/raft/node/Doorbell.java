package io.kvorum.raft.node;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Wakes one thread that has run out of work. The producer fills its queue and rings; the consumer says that it parks and then looks once more. The
 * full fences between writing one and reading
 * the other on both sides make sure that one of the two sees the other. Nobody spins.
 */
final class Doorbell {
  private final AtomicBoolean parked = new AtomicBoolean();
  private volatile Thread thread;

  /** Work was queued. */
  void ring() {
    VarHandle.fullFence();
    if (parked.getOpaque() && parked.compareAndSet(true, false)) {
      LockSupport.unpark(thread);
    }
  }

  /** Parks the calling thread, always the same one, until somebody rings or the time is over; not at all when there is work. */
  void await(long nanos, BooleanSupplier hasWork) {
    if (thread == null) {
      thread = Thread.currentThread();
    }
    parked.set(true);
    VarHandle.fullFence();
    if (!hasWork.getAsBoolean() && nanos > 0) {
      LockSupport.parkNanos(this, nanos);
    }
    parked.set(false);
  }
}
