package io.kvorum.server.backup.repository;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Semaphore;

/** Runs pieces of work one into another: each on a thread of its own, of which one runs at a time, and which one goes on at each {@link #step} a seed decides. */
final class Interleaving {
  private final Random random;
  private final Semaphore control = new Semaphore(0);
  private final List<Task> open = new ArrayList<>();
  private final ThreadLocal<Task> self = new ThreadLocal<>();

  private static final class Task {
    final Semaphore turn = new Semaphore(0);
    Throwable failure;
    boolean ended;
  }

  /** A piece of work. */
  @FunctionalInterface
  interface Work {
    void run() throws Exception;
  }

  Interleaving(Random random) {
    this.random = random;
  }

  int open() {
    return open.size();
  }

  void begin(Work work) {
    Task task = new Task();
    open.add(task);
    Thread.ofVirtual()
        .start(
            () -> {
              self.set(task);
              task.turn.acquireUninterruptibly();
              try {
                work.run();
              } catch (Throwable e) {
                task.failure = e;
              }
              task.ended = true;
              control.release();
            });
  }

  /** Called by the work where another one may go on; outside of any work it does nothing. */
  void step() {
    Task task = self.get();
    if (task != null) {
      control.release();
      task.turn.acquireUninterruptibly();
    }
  }

  /** One of the pieces goes on, up to its next step or its end. */
  void advance() {
    Task task = open.get(random.nextInt(open.size()));
    task.turn.release();
    control.acquireUninterruptibly();
    if (task.ended) {
      open.remove(task);
      if (task.failure != null) {
        throw new AssertionError(task.failure);
      }
    }
  }
}
