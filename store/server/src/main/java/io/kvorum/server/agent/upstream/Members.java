package io.kvorum.server.agent.upstream;

import io.grpc.ConnectivityState;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.logging.Log;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Which member calls go to.
 *
 * <ol>
 *   <li>All calls go to the current one while its connection stands; agents begin with one at random.
 *   <li>One whose connection breaks, or that has no leader or does not answer, is avoided for five seconds: the next one becomes the current one.
 *   <li>Without a connection, the current one is dialled, and after 200 ms, or when that fails, all; whichever answers first serves. Failed attempts are repeated every
 *       200 ms while somebody waits.
 *   <li>A call waits no longer than the dial timeout. No more than {@link #WAITING_MAX} wait; further ones fail at once.
 * </ol>
 */
final class Members {
  static final int WAITING_MAX = 10_000;

  private static final Log LOG = Log.of(Members.class);
  private static final long AVOID_NANOS = TimeUnit.SECONDS.toNanos(5);
  private static final long TICK_MILLIS = 200;

  private final List<Member> all;
  private final long dialNanos;
  private final ScheduledExecutorService timer;
  private final LongSupplier nanoTime;
  private final List<Waiter> waiting = new ArrayList<>();
  private final Set<Member> observed = new HashSet<>();
  private int current;
  private boolean ticking;
  private boolean closed;

  /** A call that waits for a member. */
  private record Waiter(long until, Member besides, CompletableFuture<Member> found) {}

  /**
   * @param first index of the first current member
   * @param dialNanos longest wait
   */
  Members(List<Member> all, int first, long dialNanos, ScheduledExecutorService timer, LongSupplier nanoTime) {
    this.all = List.copyOf(all);
    this.current = first;
    this.dialNanos = dialNanos;
    this.timer = timer;
    this.nanoTime = nanoTime;
  }

  int size() {
    return all.size();
  }

  /**
   * The member to call now.
   *
   * @param besides rather another one than this, null for any
   * @return null when no connection stands
   */
  synchronized Member ready(Member besides) {
    long now = nanoTime.getAsLong();
    Member lesser = null;
    boolean untried = false;
    for (int i = 0; i < all.size(); i++) {
      Member member = all.get((current + i) % all.size());
      boolean good = member != besides && !member.isAvoided(now);
      if (!member.isReady()) {
        untried |= good;
      } else if (good) {
        return member;
      } else if (lesser == null || lesser == besides) {
        lesser = member;
      }
    }
    // Better than none, but not before the others have been tried.
    return untried ? null : lesser;
  }

  private Member anyReady() {
    return all.stream().filter(Member::isReady).findFirst().orElse(null);
  }

  /**
   * The member to call when a connection stands; fails with the status that the caller is to see.
   *
   * @param besides rather another one than this, null for any
   * @param nanos how long the caller would wait; never more than the dial timeout
   */
  CompletableFuture<Member> await(Member besides, long nanos) {
    CompletableFuture<Member> found = new CompletableFuture<>();
    boolean refused;
    synchronized (this) {
      refused = closed || waiting.size() >= WAITING_MAX;
      if (!refused) {
        waiting.add(new Waiter(nanoTime.getAsLong() + Math.min(nanos, dialNanos), besides, found));
        dial(all.get(current));
        if (!ticking) {
          ticking = true;
          timer.schedule(this::tick, Math.min(TICK_MILLIS, TimeUnit.NANOSECONDS.toMillis(dialNanos)), TimeUnit.MILLISECONDS);
        }
      }
    }
    if (refused) {
      found.completeExceptionally(unreachable());
    } else {
      look();
    }
    return found;
  }

  static StatusRuntimeException unreachable() {
    return EtcdError.TIMED_OUT_CONNECTION_LOST.exception();
  }

  /** A member did not do what another one may. */
  synchronized void failed(Member member, Status status) {
    long now = nanoTime.getAsLong();
    if (!member.isAvoided(now)) {
      LOG.info("a member does not answer", "endpoint", member.toString(), "code", status.getCode().name(), "error", String.valueOf(status.getDescription()));
    }
    member.avoidUntil(now + AVOID_NANOS);
    if (all.get(current) == member) {
      current = (current + 1) % all.size();
    }
  }

  synchronized boolean connected() {
    return all.stream().anyMatch(Member::isReady);
  }

  private void dial(Member member) {
    ConnectivityState state = member.channel().getState(true);
    if (state == ConnectivityState.TRANSIENT_FAILURE) {
      member.channel().resetConnectBackoff();
    }
    if (state != ConnectivityState.SHUTDOWN && observed.add(member)) {
      member.channel().notifyWhenStateChanged(state, () -> later(member));
    }
  }

  /** Not inside of the channel, which may tell at once. */
  private void later(Member member) {
    synchronized (this) {
      if (!closed) {
        timer.execute(() -> changed(member));
      }
    }
  }

  private void changed(Member member) {
    synchronized (this) {
      observed.remove(member);
      if (!waiting.isEmpty()) {
        ConnectivityState state = member.channel().getState(false);
        if (state == ConnectivityState.TRANSIENT_FAILURE) {
          member.avoidUntil(nanoTime.getAsLong() + AVOID_NANOS);
          all.stream().filter(other -> other.channel().getState(false) == ConnectivityState.IDLE).forEach(this::dial);
        } else if (state != ConnectivityState.SHUTDOWN && observed.add(member)) {
          member.channel().notifyWhenStateChanged(state, () -> later(member));
        }
      }
    }
    look();
  }

  private void tick() {
    synchronized (this) {
      if (waiting.isEmpty() || closed) {
        ticking = false;
      } else {
        all.forEach(this::dial);
        timer.schedule(this::tick, TICK_MILLIS, TimeUnit.MILLISECONDS);
      }
    }
    look();
  }

  /** Serves those that wait, and sends away those that have waited long enough. */
  private void look() {
    List<Runnable> outcomes = new ArrayList<>();
    synchronized (this) {
      long now = nanoTime.getAsLong();
      for (Iterator<Waiter> each = waiting.iterator(); each.hasNext(); ) {
        Waiter waiter = each.next();
        boolean over = waiter.until - now <= 0;
        Member member = over ? anyReady() : ready(waiter.besides);
        if (member != null) {
          each.remove();
          makeCurrent(member);
          outcomes.add(() -> waiter.found.complete(member));
        } else if (over || closed) {
          each.remove();
          outcomes.add(() -> waiter.found.completeExceptionally(unreachable()));
        }
      }
    }
    // Not in the context of the call that happened to run this.
    outcomes.forEach(outcome -> Context.ROOT.run(outcome));
  }

  private void makeCurrent(Member member) {
    if (all.get(current) != member) {
      current = all.indexOf(member);
      LOG.info("calls go to another member", "endpoint", member.toString());
    }
  }

  void close() {
    synchronized (this) {
      closed = true;
    }
    look();
    all.forEach(member -> member.channel().shutdownNow());
  }
}
