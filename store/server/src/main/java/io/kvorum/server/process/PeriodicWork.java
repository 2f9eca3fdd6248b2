package io.kvorum.server.process;

import io.kvorum.server.base.Kernel;
import io.kvorum.server.config.CurrentConfig;
import io.kvorum.server.config.ServerConfig;
import io.kvorum.server.logging.Log;
import io.kvorum.server.logging.Logging;
import io.kvorum.server.maintenance.AutoCompactor;
import io.kvorum.server.maintenance.CorruptionCheck;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/** What a member does from time to time, as often as its options say; each begins anew when an option of its own changes. */
final class PeriodicWork {
  private static final Log LOG = Log.of(PeriodicWork.class);

  private final CurrentConfig current;
  private final Kernel own;
  private final CorruptionCheck corruption;
  private final Threads threads;
  private final List<Task> tasks;

  /**
   * @param own with proposals on the member's own account
   */
  PeriodicWork(CurrentConfig current, Kernel own, CorruptionCheck corruption, Threads threads) {
    this.current = current;
    this.own = own;
    this.corruption = corruption;
    this.threads = threads;
    boolean atCompactions = current.get().featureGates().get("CompactHashCheck");
    this.tasks =
        List.of(
            new Task(m -> List.of(m.autoCompactionRevisions(), m.autoCompactionRetention()), this::compaction),
            new Task(ServerConfig.Maintenance::corruptCheckTime, m -> checks("corruption checking", corruption::periodic, m.corruptCheckTime().toNanos())),
            new Task(
                ServerConfig.Maintenance::compactHashCheckTime,
                m -> atCompactions ? checks("compact hash checking", corruption::compaction, m.compactHashCheckTime().toNanos()) : null));
  }

  void start() {
    current.listen(() -> Logging.show(current.get().log().level()));
    current.listen(this::adjust);
    adjust();
  }

  private synchronized void adjust() {
    tasks.forEach(task -> task.adjust(current.get().maintenance()));
  }

  private ScheduledFuture<?> compaction(ServerConfig.Maintenance options) {
    if (options.autoCompactionRetention() <= 0) {
      return null;
    }
    AutoCompactor compactor = new AutoCompactor(own, options.autoCompactionRevisions(), options.autoCompactionRetention(), System::nanoTime);
    return threads.timer().scheduleWithFixedDelay(compactor, compactor.intervalNanos(), compactor.intervalNanos(), TimeUnit.NANOSECONDS);
  }

  /** One at a time, on a thread of its own: it waits for hashes and for other members. */
  private ScheduledFuture<?> checks(String what, Runnable check, long intervalNanos) {
    if (intervalNanos <= 0) {
      return null;
    }
    LOG.info("enabled " + what, "interval-ms", TimeUnit.NANOSECONDS.toMillis(intervalNanos));
    AtomicBoolean underWay = new AtomicBoolean();
    Runnable begin =
        () -> {
          if (!underWay.compareAndSet(false, true)) {
            return;
          }
          try {
            threads.programs().execute(
                () -> {
                  try {
                    check.run();
                  } catch (RuntimeException e) {
                    LOG.warn("failed to check hash KV", "error", String.valueOf(e.getMessage()));
                  } finally {
                    underWay.set(false);
                  }
                });
          } catch (RejectedExecutionException e) {
            LOG.debug("no more checks: this member stops");
          }
        };
    return threads.timer().scheduleWithFixedDelay(begin, intervalNanos, intervalNanos, TimeUnit.NANOSECONDS);
  }

  private static final class Task {
    private final Function<ServerConfig.Maintenance, Object> options;
    private final Function<ServerConfig.Maintenance, ScheduledFuture<?>> begin;
    private Object known;
    private ScheduledFuture<?> running;

    /**
     * @param options those that it depends on
     * @param begin schedules it; null when it is not wanted
     */
    Task(Function<ServerConfig.Maintenance, Object> options, Function<ServerConfig.Maintenance, ScheduledFuture<?>> begin) {
      this.options = options;
      this.begin = begin;
    }

    void adjust(ServerConfig.Maintenance now) {
      Object wanted = options.apply(now);
      if (wanted.equals(known)) {
        return;
      }
      known = wanted;
      if (running != null) {
        running.cancel(false);
      }
      running = begin.apply(now);
    }
  }
}
