package io.kvorum.server.agent.registration;

import io.kvorum.server.agent.registration.Effect.Note;
import io.kvorum.server.agent.registration.Event.Holder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * One registration, from readiness to termination. Pure: no clock, thread or call of its own.
 *
 * <ol>
 *   <li>Ready: a lease with a fresh id is made and the entry put under it, in one step where the server can.
 *   <li>The lease is renewed after a third of its time. Each renewal also looks whether the entry is still there.
 *   <li>The lease is gone, or the entry without us: at once again under a new lease. The entry under another lease (two agents with one name): the own lease is given back and the next
 *       attempt waits for its time, so that two agents cannot write in turns faster than that.
 *   <li>Not ready, or withdrawn: the lease is revoked, which takes away the entry and nothing that another agent wrote in its place.
 *   <li>A write whose outcome is unknown is followed by a revocation of its id before another is tried: no lease is left behind while the cluster can be reached.
 *   <li>What cannot be revoked counts as gone when its time is over.
 * </ol>
 *
 * Failed calls are repeated after pauses that double from 100 ms to a sixth of the lease's time, at most 5 s, give or take a fifth. There is no bound on their number while the
 * application lives; the end is bounded by whoever withdraws.
 */
final class Lifecycle {
  /** Probes without an answer in a row that count as "not ready". */
  static final int SILENCES_MAX = 3;

  private static final long PAUSE_MIN = TimeUnit.MILLISECONDS.toNanos(100);
  private static final long PAUSE_MAX = TimeUnit.SECONDS.toNanos(5);
  private static final int PAUSES_IN_A_TTL = 6;
  private static final int RENEWALS_IN_A_TTL = 3;
  private static final int DOUBLINGS_MAX = 10;
  private static final double JITTER = 0.2;

  /** Where the entry stands. Times are those of the caller's clock. */
  sealed interface State {
    /** No lease of ours. */
    record Absent(long retryAt, int failures) implements State {}

    /** A write is under way. */
    record Writing(long lease, long sentAt, int failures) implements State {}

    /** The entry is there, as far as we know. */
    record Present(long lease, long ttlNanos, long expiresAt, long renewAt, boolean renewing, int failures, boolean overdue) implements State {}

    /** The lease is to go, and may still be there. */
    record Leaving(long lease, long expiresAt, boolean revoking, long retryAt, int failures, long restUntil, int writeFailures) implements State {}
  }

  private final long ttlSeconds;
  private final LongSupplier leaseIds;
  private final RandomGenerator random;
  private State state;
  private boolean ready;
  private boolean withdrawn;
  private int silences;
  private long renewalSentAt;

  /**
   * @param ttlSeconds time to live that is asked for, at least 1
   * @param leaseIds fresh lease ids, above 0
   * @param random spreads retries
   * @param now time on the clock that all events come with, in nanoseconds
   */
  Lifecycle(long ttlSeconds, LongSupplier leaseIds, RandomGenerator random, long now) {
    this.ttlSeconds = ttlSeconds;
    this.leaseIds = leaseIds;
    this.random = random;
    this.state = new State.Absent(now, 0);
  }

  State state() {
    return state;
  }

  boolean isReady() {
    return ready;
  }

  /** Whether it was withdrawn, and nothing of it can be left in the cluster. */
  boolean isOver() {
    return withdrawn && state instanceof State.Absent;
  }

  /** Takes one event and returns what is to be done, in order. */
  List<Effect> on(Event event, long now) {
    List<Effect> effects = new ArrayList<>();
    switch (event) {
      case Event.Probed probed -> probed(probed.readiness(), effects);
      case Event.Written written -> written(written, effects);
      case Event.WriteFailed failed -> writeFailed(failed, now, effects);
      case Event.Renewed renewed -> renewed(renewed, now, effects);
      case Event.LeaseGone gone -> leaseGone(gone, now, effects);
      case Event.RenewFailed failed -> renewFailed(failed, now, effects);
      case Event.Revoked revoked -> revoked(revoked, effects);
      case Event.RevokeFailed failed -> revokeFailed(failed, now, effects);
      case Event.Withdraw withdraw -> {
        if (!withdrawn) {
          withdrawn = true;
          effects.add(new Note(withdraw.reason(), leaseOf(state), 1, ""));
        }
      }
      case Event.Tick() -> {}
    }
    settle(now, effects);
    return effects;
  }

  /** When a {@link Event.Tick} is due; {@code Long.MAX_VALUE} when nothing but another event can change anything. */
  long wakeAt() {
    return switch (state) {
      case State.Absent absent -> wanted() ? absent.retryAt : Long.MAX_VALUE;
      case State.Writing ignored -> Long.MAX_VALUE;
      case State.Present present -> {
        if (!present.renewing) {
          yield present.overdue ? present.renewAt : earlier(present.renewAt, present.expiresAt);
        }
        yield present.overdue ? Long.MAX_VALUE : present.expiresAt;
      }
      case State.Leaving leaving -> leaving.revoking ? Long.MAX_VALUE : earlier(leaving.retryAt, leaving.expiresAt);
    };
  }

  private boolean wanted() {
    return ready && !withdrawn;
  }

  private void probed(Readiness readiness, List<Effect> effects) {
    switch (readiness) {
      case Readiness.Ready() -> {
        silences = 0;
        become(true, "", effects);
      }
      case Readiness.Unready unready -> {
        silences = 0;
        become(false, unready.reason(), effects);
      }
      case Readiness.Silent silent -> {
        silences = Math.min(silences + 1, SILENCES_MAX);
        if (silences == SILENCES_MAX) {
          become(false, silent.reason(), effects);
        }
      }
    }
  }

  private void become(boolean nowReady, String detail, List<Effect> effects) {
    if (ready != nowReady) {
      ready = nowReady;
      effects.add(new Note(nowReady ? Reason.READY : Reason.NOT_READY, leaseOf(state), 1, detail));
    }
  }

  private void written(Event.Written written, List<Effect> effects) {
    if (state instanceof State.Writing writing && writing.lease == written.lease()) {
      long ttl = TimeUnit.SECONDS.toNanos(written.ttlSeconds());
      state = new State.Present(writing.lease, ttl, writing.sentAt + ttl, writing.sentAt + ttl / RENEWALS_IN_A_TTL, false, 0, false);
      effects.add(new Note(Reason.REGISTERED, writing.lease, 1, ""));
    }
  }

  private void writeFailed(Event.WriteFailed failed, long now, List<Effect> effects) {
    if (state instanceof State.Writing writing && writing.lease == failed.lease()) {
      int failures = writing.failures + 1;
      effects.add(new Note(Reason.WRITE_FAILED, writing.lease, failures, failed.reason()));
      state = new State.Leaving(writing.lease, now + ttlNanos(), false, now, 0, now + pause(failures), failures);
    }
  }

  private void renewed(Event.Renewed renewed, long now, List<Effect> effects) {
    if (!(state instanceof State.Present present) || present.lease != renewed.lease()) {
      return;
    }
    long ttl = TimeUnit.SECONDS.toNanos(renewed.ttlSeconds());
    state = new State.Present(present.lease, ttl, renewalSentAt + ttl, renewalSentAt + ttl / RENEWALS_IN_A_TTL, false, 0, false);
    switch (renewed.holder()) {
      case OURS, UNKNOWN -> {}
      case NOBODY -> {
        effects.add(new Note(Reason.ENTRY_LOST, present.lease, 1, ""));
        state = leave(now, now);
      }
      case ANOTHER -> {
        effects.add(new Note(Reason.ENTRY_TAKEN, present.lease, 1, ""));
        state = leave(now, now + ttl);
      }
    }
  }

  private void leaseGone(Event.LeaseGone gone, long now, List<Effect> effects) {
    if (state instanceof State.Present present && present.lease == gone.lease()) {
      effects.add(new Note(Reason.LEASE_LOST, present.lease, 1, ""));
      state = new State.Absent(now, 0);
    }
  }

  private void renewFailed(Event.RenewFailed failed, long now, List<Effect> effects) {
    if (state instanceof State.Present present && present.lease == failed.lease()) {
      int failures = present.failures + 1;
      effects.add(new Note(Reason.RENEWAL_FAILED, present.lease, failures, failed.reason()));
      state = new State.Present(present.lease, present.ttlNanos, present.expiresAt, now + pause(failures), false, failures, present.overdue);
    }
  }

  private void revoked(Event.Revoked revoked, List<Effect> effects) {
    if (state instanceof State.Leaving leaving && leaving.lease == revoked.lease()) {
      if (leaving.writeFailures == 0) {
        effects.add(new Note(Reason.REMOVED, leaving.lease, 1, ""));
      }
      state = new State.Absent(leaving.restUntil, leaving.writeFailures);
    }
  }

  private void revokeFailed(Event.RevokeFailed failed, long now, List<Effect> effects) {
    if (state instanceof State.Leaving leaving && leaving.lease == failed.lease()) {
      int failures = leaving.failures + 1;
      effects.add(new Note(Reason.REMOVAL_FAILED, leaving.lease, failures, failed.reason()));
      state = new State.Leaving(leaving.lease, leaving.expiresAt, false, now + pause(failures), failures, leaving.restUntil, leaving.writeFailures);
    }
  }

  /** Does what the state asks for; each turn of the loop leaves a state that the next does not come back to. */
  private void settle(long now, List<Effect> effects) {
    State before;
    do {
      before = state;
      state = next(before, now, effects);
    } while (state != before);
  }

  private State next(State from, long now, List<Effect> effects) {
    return switch (from) {
      case State.Absent absent -> {
        if (!wanted() || !due(absent.retryAt, now)) {
          yield from;
        }
        long lease = leaseIds.getAsLong();
        effects.add(new Effect.Write(lease, ttlSeconds));
        yield new State.Writing(lease, now, absent.failures);
      }
      case State.Writing writing -> writing;
      case State.Present present -> present(present, now, effects);
      case State.Leaving leaving -> leaving(leaving, now, effects);
    };
  }

  private State present(State.Present present, long now, List<Effect> effects) {
    if (!wanted()) {
      return leave(now, now);
    }
    if (!present.overdue && due(present.expiresAt, now)) {
      effects.add(new Note(Reason.OVERDUE, present.lease, 1, ""));
      return new State.Present(present.lease, present.ttlNanos, present.expiresAt, present.renewAt, present.renewing, present.failures, true);
    }
    if (!present.renewing && due(present.renewAt, now)) {
      effects.add(new Effect.Renew(present.lease));
      renewalSentAt = now;
      return new State.Present(present.lease, present.ttlNanos, present.expiresAt, present.renewAt, true, present.failures, present.overdue);
    }
    return present;
  }

  private static State leaving(State.Leaving leaving, long now, List<Effect> effects) {
    if (leaving.revoking) {
      return leaving;
    }
    if (due(leaving.expiresAt, now)) {
      effects.add(new Note(Reason.LEFT_TO_EXPIRE, leaving.lease, 1, ""));
      return new State.Absent(leaving.restUntil, leaving.writeFailures);
    }
    if (due(leaving.retryAt, now)) {
      effects.add(new Effect.Revoke(leaving.lease));
      return new State.Leaving(leaving.lease, leaving.expiresAt, true, leaving.retryAt, leaving.failures, leaving.restUntil, leaving.writeFailures);
    }
    return leaving;
  }

  /** Gives the lease back. A cluster that changed its leader may have begun its time anew, so a whole one counts from now on. */
  private State leave(long now, long restUntil) {
    State.Present present = (State.Present) state;
    return new State.Leaving(present.lease, now + present.ttlNanos, false, now, 0, restUntil, 0);
  }

  private long ttlNanos() {
    return TimeUnit.SECONDS.toNanos(ttlSeconds);
  }

  private long pause(int failures) {
    long most = Math.clamp(ttlNanos() / PAUSES_IN_A_TTL, PAUSE_MIN, PAUSE_MAX);
    long pause = Math.min(most, PAUSE_MIN << Math.min(failures - 1, DOUBLINGS_MAX));
    return (long) (pause * (1 - JITTER + 2 * JITTER * random.nextDouble()));
  }

  private static boolean due(long at, long now) {
    return at - now <= 0;
  }

  private static long earlier(long a, long b) {
    return a - b <= 0 ? a : b;
  }

  /** The lease that a state is about, 0 for none. */
  static long leaseOf(State state) {
    return switch (state) {
      case State.Absent ignored -> 0;
      case State.Writing writing -> writing.lease;
      case State.Present present -> present.lease;
      case State.Leaving leaving -> leaving.lease;
    };
  }
}
