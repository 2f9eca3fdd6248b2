package io.kvorum.server.agent.copy;

import io.kvorum.server.logging.Log;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** The one thread that follows the cluster, and its timer. What comes after the end is dropped. */
final class CopyLoop implements Executor, AutoCloseable {
  private static final Log LOG = Log.of(LocalCopy.class);
  private static final long STOP_SECONDS = 30;

  private final ExecutorService thread = Executors.newSingleThreadExecutor(Thread.ofPlatform().name("kvorum-copy").daemon(true).factory());
  private final ScheduledExecutorService timer;

  CopyLoop(ScheduledExecutorService timer) {
    this.timer = timer;
  }

  @Override
  public void execute(Runnable task) {
    try {
      thread.execute(() -> run(task));
    } catch (RejectedExecutionException ended) {
      LOG.debug("a task of the copy came after its end");
    }
  }

  private static void run(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException e) {
      LOG.error("a step of the copy failed", e);
    }
  }

  void after(long millis, Runnable task) {
    try {
      timer.schedule(() -> execute(task), millis, TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException ended) {
      LOG.debug("a timer of the copy came after its end");
    }
  }

  /** Runs what is queued, then no more. */
  @Override
  public void close() {
    thread.shutdown();
    try {
      if (!thread.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
        LOG.warn("the copy did not stop in time", "seconds", STOP_SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
