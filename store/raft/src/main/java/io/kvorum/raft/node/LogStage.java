package io.kvorum.raft.node;

import io.kvorum.raft.Entry;
import io.kvorum.raft.HardState;
import io.kvorum.raft.Message;
import io.kvorum.raft.log.SegmentedLog;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * Makes appends durable and sends what waits for that: on the raft thread itself when it may, else on a thread of its own, so that acknowledgements
 * are taken while the disk works. Whatever is
 * queued when the disk becomes free goes out in one sync.
 */
final class LogStage implements AutoCloseable {
  /** Appends under way; the core hands out no more while so many wait. */
  static final int IN_FLIGHT_MAX = 1024;

  private static final long REST_NANOS = 100_000_000L;

  /** What was appended, its last entry (null when there is none), and what may be said once it is durable. */
  private record Work(List<Message> promises, Durable last) {}

  /** The last entry of an append. */
  record Durable(long index, long term) {}

  private final SegmentedLog log;
  private final Transport transport;
  private final Consumer<Throwable> onFailure;
  private final Doorbell raftThread;
  private final Doorbell bell = new Doorbell();
  private final MpscQueue<Work> queued = new MpscQueue<>(IN_FLIGHT_MAX);
  private final AtomicReference<Durable> durable = new AtomicReference<>();
  private final AtomicInteger inFlight = new AtomicInteger();
  private final Thread thread;
  private boolean started;
  private boolean restIsDue;
  private volatile boolean stopping;

  /**
   * @param raftThread rung when appends became durable
   * @param onFailure told once, on the log thread, when the log failed
   */
  LogStage(SegmentedLog log, Transport transport, Doorbell raftThread, Consumer<Throwable> onFailure) {
    this.log = log;
    this.transport = transport;
    this.raftThread = raftThread;
    this.onFailure = onFailure;
    this.thread = Thread.ofPlatform().name("raft-log").daemon().unstarted(this::run);
  }

  boolean hasRoom() {
    return inFlight.get() < IN_FLIGHT_MAX;
  }

  boolean isIdle() {
    return inFlight.get() == 0;
  }

  /**
   * Hands over one Ready's writes. Raft thread only.
   *
   * @param inline whether this thread may wait for the disk; it does if no earlier write is under way
   * @return the last entry if it is durable already; else it comes from {@link #takeDurable}, as far as there is one
   */
  Durable write(HardState hardState, List<Entry> entries, List<Message> promises, boolean inline) throws IOException {
    log.append(hardState, entries);
    Durable last = entries.isEmpty() ? null : new Durable(entries.getLast().index(), entries.getLast().term());
    if (isIdle() && (inline || !log.needsSync())) {
      if (log.needsSync()) {
        log.sync();
        restIsDue = true;
      }
      send(promises);
      return last;
    }
    if (last == null && promises.isEmpty() && !log.needsSync()) {
      return null;
    }
    inFlight.incrementAndGet();
    if (!queued.offer(new Work(promises, last))) {
      throw new IllegalStateException("more than " + IN_FLIGHT_MAX + " appends under way");
    }
    if (!started) {
      started = true;
      thread.start();
    }
    bell.ring();
    return null;
  }

  /** Last entry of the newest append that became durable since the last call, or null; it stands for all earlier ones. Raft thread only. */
  Durable takeDurable() {
    return durable.get() == null ? null : durable.getAndSet(null);
  }

  boolean hasDurable() {
    return durable.get() != null;
  }

  /** Called by the raft thread once a tick: if it wrote nothing itself since the last one, notes in the file that all that it wrote is durable. */
  void rest() throws IOException {
    if (restIsDue) {
      restIsDue = false;
    } else if (!started) {
      log.mark();
    }
  }

  /** Waits until nothing is under way. */
  void drain() {
    while (!isIdle() && !stopping) {
      raftThread.await(1_000_000L, this::isIdle);
    }
  }

  private void run() {
    try {
      while (!stopping) {
        bell.await(REST_NANOS, () -> !queued.isEmpty() || stopping);
        if (queued.isEmpty() && isIdle()) {
          log.mark();
        }
        work();
      }
      work();
    } catch (IOException | RuntimeException | Error e) {
      stopping = true;
      onFailure.accept(e);
      raftThread.ring();
    }
  }

  private void work() throws IOException {
    for (Work first = queued.poll(); first != null; first = queued.poll()) {
      List<Work> batch = new ArrayList<>();
      for (Work next = first; next != null; next = queued.poll()) {
        batch.add(next);
      }
      log.sync();
      Durable newest = null;
      for (Work done : batch) {
        send(done.promises);
        newest = done.last != null ? done.last : newest;
      }
      if (newest != null) {
        durable.set(newest);
      }
      inFlight.addAndGet(-batch.size());
      raftThread.ring();
    }
  }

  private void send(List<Message> messages) {
    if (!messages.isEmpty()) {
      transport.send(messages);
    }
  }

  /** Ends the thread; what is under way is finished first unless the log failed. Does not close the log. */
  @Override
  public void close() {
    stopping = true;
    bell.ring();
    if (started && Thread.currentThread() != thread) {
      boolean interrupted = false;
      while (thread.isAlive()) {
        try {
          thread.join();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
