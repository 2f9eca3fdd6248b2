package io.kvorum.server.process;

import io.kvorum.server.base.Kernel;
import io.kvorum.server.config.CurrentConfig;
import io.kvorum.server.config.ServerConfig;
import io.kvorum.server.logging.Logging;
import io.kvorum.server.maintenance.AutoCompactor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** What a member does from time to time, as often as its options say; it begins anew when they change. */
final class PeriodicWork {
  private final CurrentConfig current;
  private final Kernel own;
  private final ScheduledExecutorService timer;
  private ServerConfig.Maintenance known;
  private ScheduledFuture<?> compaction;

  /**
   * @param own with proposals on the member's own account
   */
  PeriodicWork(CurrentConfig current, Kernel own, ScheduledExecutorService timer) {
    this.current = current;
    this.own = own;
    this.timer = timer;
  }

  void start() {
    current.listen(() -> Logging.show(current.get().log().level()));
    current.listen(this::adjust);
    adjust();
  }

  private synchronized void adjust() {
    ServerConfig.Maintenance now = current.get().maintenance();
    boolean other =
        known == null || known.autoCompactionRevisions() != now.autoCompactionRevisions() || known.autoCompactionRetention() != now.autoCompactionRetention();
    if (other) {
      compaction = restart(compaction, now);
    }
    known = now;
  }

  private ScheduledFuture<?> restart(ScheduledFuture<?> running, ServerConfig.Maintenance now) {
    if (running != null) {
      running.cancel(false);
    }
    if (now.autoCompactionRetention() <= 0) {
      return null;
    }
    AutoCompactor compactor = new AutoCompactor(own, now.autoCompactionRevisions(), now.autoCompactionRetention(), System::nanoTime);
    return timer.scheduleWithFixedDelay(compactor, compactor.intervalNanos(), compactor.intervalNanos(), TimeUnit.NANOSECONDS);
  }
}
