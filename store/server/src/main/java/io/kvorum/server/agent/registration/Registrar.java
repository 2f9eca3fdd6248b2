package io.kvorum.server.agent.registration;

import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.SynchronizationContext;
import io.kvorum.server.front.EventLoops;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.LabelledCounter;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Keeps one registration: asks the application, calls the cluster, and does in between what {@link Lifecycle} says. Start it when the ports are open; withdraw it before anything else stops.
 *
 * <p>Nothing here waits: probes and calls answer on threads of their own, and all events go one after the other through one queue.
 */
public final class Registrar implements MetricSource, AutoCloseable {
  /** How long a withdrawal is tried at most. */
  public static final long WITHDRAWAL_SECONDS = 10;

  private static final Log LOG = Log.of(Registrar.class);

  private final RegistrationSettings settings;
  private final EntryStore entries;
  private final ReadinessProbe probe;
  private final ScheduledExecutorService timer;
  private final LongSupplier nanoTime;
  private final Lifecycle lifecycle;
  private final SynchronizationContext queue = new SynchronizationContext((thread, failure) -> LOG.error("registration failed unexpectedly", failure));
  private final CompletableFuture<Withdrawal> over = new CompletableFuture<>();
  private final LabelledCounter events = new LabelledCounter();
  private SynchronizationContext.ScheduledHandle wake;
  private String trouble = "";
  private boolean withdrawing;
  private volatile Shown shown = new Shown(false, false, 0);

  /** What metrics show. */
  private record Shown(boolean ready, boolean registered, long lease) {}

  /**
   * Over a channel that turns to another member when one fails.
   *
   * @param loops network threads of the probes
   * @param timer wakes it; nothing blocks there
   * @param nanoTime a clock in nanoseconds
   * @param random of lease ids and of the spread of retries
   */
  public static Registrar over(
      Channel channel, RegistrationSettings settings, EventLoops loops, ScheduledExecutorService timer, LongSupplier nanoTime, RandomGenerator random) {
    long callNanos = ClusterEntries.callNanos(settings.ttlSeconds());
    ClusterEntries entries = new ClusterEntries(channel, new AtomicPut(channel, new GrantThenPut(channel, callNanos), callNanos), callNanos);
    return new Registrar(settings, entries, Probes.of(settings.target(), loops), timer, nanoTime, random);
  }

  Registrar(
      RegistrationSettings settings, EntryStore entries, ReadinessProbe probe, ScheduledExecutorService timer, LongSupplier nanoTime, RandomGenerator random) {
    this.settings = settings;
    this.entries = entries;
    this.probe = probe;
    this.timer = timer;
    this.nanoTime = nanoTime;
    this.lifecycle = new Lifecycle(settings.ttlSeconds(), () -> random.nextLong(1, Long.MAX_VALUE), random, nanoTime.getAsLong());
  }

  /** Begins to ask the application. Once. */
  public void start() {
    queue.execute(this::ask);
  }

  /**
   * Takes the entry away at once and for good; the agent may go on with everything else. Any number of times.
   *
   * @param reason {@link Reason#DEREGISTERED} or {@link Reason#STOPPED}
   * @return completes when the cluster has confirmed it, and after {@value #WITHDRAWAL_SECONDS} s at the latest
   */
  public CompletableFuture<Withdrawal> withdraw(Reason reason) {
    queue.execute(
        () -> {
          if (!withdrawing) {
            withdrawing = true;
            queue.schedule(this::giveUp, WITHDRAWAL_SECONDS, TimeUnit.SECONDS, timer);
            happened(new Event.Withdraw(reason));
          }
        });
    return over.copy();
  }

  private void giveUp() {
    if (!over.isDone()) {
      String detail =
          "not confirmed within " + WITHDRAWAL_SECONDS + " s" + (trouble.isEmpty() ? "" : " (" + trouble + ")") + "; the entry goes when its lease ends, "
              + settings.ttlSeconds() + " s after it was renewed last";
      LOG.warn("registration not confirmed as gone", "key", settings.key().toStringUtf8(), "reason", detail);
      over.complete(new Withdrawal(false, detail));
    }
  }

  /** Withdraws, and waits for that within its bound. */
  @Override
  public void close() {
    try {
      withdraw(Reason.STOPPED).get(WITHDRAWAL_SECONDS + 1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
      LOG.error("registration did not end", e);
    }
  }

  private void ask() {
    if (withdrawing) {
      return;
    }
    long began = nanoTime.getAsLong();
    probe.check()
        .whenComplete(
            (answer, failure) ->
                queue.execute(
                    () -> {
                      happened(new Event.Probed(failure == null ? answer : new Readiness.Unready(failure.toString())));
                      if (!(settings.target() instanceof ReadinessTarget.Always)) {
                        queue.schedule(this::ask, Math.max(0, began + settings.period().toNanos() - nanoTime.getAsLong()), TimeUnit.NANOSECONDS, timer);
                      }
                    }));
  }

  private void happened(Event event) {
    for (Effect effect : lifecycle.on(event, nanoTime.getAsLong())) {
      carryOut(effect);
    }
    shown = shown();
    if (lifecycle.isOver() && withdrawing) {
      over.complete(new Withdrawal(true, ""));
    }
    if (wake != null) {
      wake.cancel();
      wake = null;
    }
    long at = lifecycle.wakeAt();
    if (at != Long.MAX_VALUE) {
      wake = queue.schedule(() -> happened(new Event.Tick()), Math.max(0, at - nanoTime.getAsLong()), TimeUnit.NANOSECONDS, timer);
    }
  }

  private void carryOut(Effect effect) {
    switch (effect) {
      case Effect.Write write ->
          entries.write(settings.key(), settings.value(), write.lease(), write.ttlSeconds())
              .whenComplete((ttl, failure) -> hear(failure == null ? new Event.Written(write.lease(), ttl) : new Event.WriteFailed(write.lease(), reason(failure))));
      case Effect.Renew renew ->
          entries.renew(settings.key(), renew.lease())
              .whenComplete((renewal, failure) -> hear(failure == null ? renewed(renew.lease(), renewal) : new Event.RenewFailed(renew.lease(), reason(failure))));
      case Effect.Revoke revoke ->
          entries.revoke(revoke.lease())
              .whenComplete((done, failure) -> hear(failure == null ? new Event.Revoked(revoke.lease()) : new Event.RevokeFailed(revoke.lease(), reason(failure))));
      case Effect.Note note -> tell(note);
    }
  }

  private void hear(Event event) {
    queue.execute(() -> happened(event));
  }

  private static Event renewed(long lease, EntryStore.Renewal renewal) {
    return renewal.ttlSeconds() <= 0 ? new Event.LeaseGone(lease) : new Event.Renewed(lease, renewal.ttlSeconds(), renewal.holder());
  }

  private static String reason(Throwable failure) {
    Status status = Status.fromThrowable(failure);
    return status.getDescription() == null ? status.getCode().toString() : status.getDescription();
  }

  /** Of failures in a row the first is told, and each whose number is a power of two. */
  private void tell(Effect.Note note) {
    events.increment(note.reason().label());
    trouble = note.reason().isTrouble() ? note.reason().text() + (note.detail().isEmpty() ? "" : ": " + note.detail()) : "";
    if (Integer.bitCount(note.times()) != 1) {
      return;
    }
    Object[] pairs = {
      "what", note.reason().text(), "key", settings.key().toStringUtf8(), "lease", Long.toHexString(note.lease()), "times", note.times(), "reason", note.detail()
    };
    if (note.reason().isTrouble()) {
      LOG.warn("registration", pairs);
    } else {
      LOG.info("registration", pairs);
    }
  }

  private Shown shown() {
    Lifecycle.State state = lifecycle.state();
    return new Shown(lifecycle.isReady(), state instanceof Lifecycle.State.Present present && !present.overdue(), Lifecycle.leaseOf(state));
  }

  /** Whether the entry is there, as far as is known. Any thread. */
  public boolean isRegistered() {
    return shown.registered();
  }

  @Override
  public void collect(MetricsText out) {
    Shown now = shown;
    out.gauge("kvorum_agent_registration_ready", "Whether the application says that it is ready.", now.ready() ? 1 : 0)
        .gauge("kvorum_agent_registration_registered", "Whether the entry is there under a lease that was renewed in time.", now.registered() ? 1 : 0)
        .gauge("kvorum_agent_registration_ttl_seconds", "How long the entry stays after the agent died, as asked for.", settings.ttlSeconds());
    events.forEach(
        (reason, count) ->
            out.counter("kvorum_agent_registration_events_total", "What happened to the registration.", MetricsText.labels("reason", reason), count));
  }
}
