package io.kvorum.server.agent.registration;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.server.agent.registration.Event.Holder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A registration against a cluster that loses calls and answers, is away at times, and whose leases expire, are revoked by others or lose their entry. */
class LifecycleSimulationTest {
  private static final long MILLI = TimeUnit.MILLISECONDS.toNanos(1);
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final long TTL_SECONDS = 5;
  /** As the driver's: how long a call takes at most. */
  private static final long CALL = 2 * SECOND;
  private static final int RUNS = 150;

  private record Timed(long at, long order, Runnable action) implements Comparable<Timed> {
    @Override
    public int compareTo(Timed other) {
      return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
    }
  }

  private static final class World {
    private final Random random;
    private final PriorityQueue<Timed> agenda = new PriorityQueue<>();
    private final Map<Long, Long> leases = new HashMap<>();
    private final Lifecycle lifecycle;
    private final List<String> story = new ArrayList<>();
    private long now = -17 * SECOND;
    private long order;
    private long nextLease = 1;
    private long entry;
    private boolean away;
    private double loss;
    private int calls;
    private int underWay;
    private long wake = Long.MAX_VALUE;

    World(long seed) {
      random = new Random(seed);
      lifecycle = new Lifecycle(TTL_SECONDS, () -> nextLease++, random, now);
    }

    void at(long delay, Runnable action) {
      agenda.add(new Timed(now + delay, order++, action));
    }

    void runFor(long nanos) {
      long end = now + nanos;
      while (!agenda.isEmpty() && agenda.peek().at <= end) {
        Timed next = agenda.poll();
        now = next.at;
        expire();
        next.action.run();
      }
      now = end;
      expire();
    }

    private void expire() {
      leases.entrySet().removeIf(lease -> lease.getValue() <= now);
      if (!leases.containsKey(entry)) {
        entry = 0;
      }
    }

    void happens(Event event) {
      story.add(now / MILLI + " " + event);
      for (Effect effect : lifecycle.on(event, now)) {
        carryOut(effect);
      }
      assertThat(underWay).as("calls at a time").isLessThanOrEqualTo(2);
      long at = lifecycle.wakeAt();
      if (at != Long.MAX_VALUE && at != wake) {
        assertThat(at).as("wakes in the past are no bound").isGreaterThanOrEqualTo(now);
        wake = at;
        at(at - now, () -> {
          wake = Long.MAX_VALUE;
          happens(new Event.Tick());
        });
      }
    }

    private void carryOut(Effect effect) {
      story.add(now / MILLI + "   -> " + effect);
      switch (effect) {
        case Effect.Write write -> call(() -> put(write), () -> new Event.WriteFailed(write.lease(), "lost"));
        case Effect.Renew renew -> call(() -> renew(renew), () -> new Event.RenewFailed(renew.lease(), "lost"));
        case Effect.Revoke revoke -> call(() -> revoke(revoke), () -> new Event.RevokeFailed(revoke.lease(), "lost"));
        case Effect.Note ignored -> {}
      }
    }

    /** The call may not arrive, or its answer may not; in both cases nobody knows until the call's time is over. */
    private void call(java.util.function.Supplier<Event> there, java.util.function.Supplier<Event> lost) {
      calls++;
      underWay++;
      long began = now;
      at(random.nextLong(20 * MILLI), () -> {
        boolean arrives = !away && random.nextDouble() >= loss;
        Event answer = arrives ? there.get() : null;
        boolean answered = arrives && !away && random.nextDouble() >= loss;
        boolean refused = !arrives && random.nextBoolean();
        long wait = answered || refused ? random.nextLong(20 * MILLI) : began + CALL - now;
        at(wait, () -> {
          underWay--;
          happens(answered ? answer : lost.get());
        });
      });
    }

    private Event put(Effect.Write write) {
      assertThat(leases).as("ids are fresh").doesNotContainKey(write.lease());
      leases.put(write.lease(), now + write.ttlSeconds() * SECOND);
      entry = write.lease();
      return new Event.Written(write.lease(), write.ttlSeconds());
    }

    private Event renew(Effect.Renew renew) {
      if (!leases.containsKey(renew.lease())) {
        return new Event.LeaseGone(renew.lease());
      }
      leases.put(renew.lease(), now + TTL_SECONDS * SECOND);
      return new Event.Renewed(renew.lease(), TTL_SECONDS, entry == renew.lease() ? Holder.OURS : entry == 0 ? Holder.NOBODY : Holder.ANOTHER);
    }

    private Event revoke(Effect.Revoke revoke) {
      leases.remove(revoke.lease());
      expire();
      return new Event.Revoked(revoke.lease());
    }

    void disturb() {
      switch (random.nextInt(7)) {
        case 0 -> away = !away;
        case 1 -> loss = random.nextDouble() * 0.6;
        case 2 -> leases.clear();
        case 3 -> entry = 0;
        case 4 -> {
          leases.put(-1L, now + 3 * SECOND);
          entry = -1;
        }
        default -> happens(new Event.Probed(random.nextInt(3) == 0 ? new Readiness.Unready("no") : random.nextBoolean() ? new Readiness.Silent("late") : new Readiness.Ready()));
      }
      expire();
    }

    void calm() {
      away = false;
      loss = 0;
    }

    @Override
    public String toString() {
      return String.join("\n", story.subList(Math.max(0, story.size() - 60), story.size()));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void after_any_trouble_the_entry_is_what_readiness_says_and_nothing_is_left_behind(long firstSeed) {
    for (long seed = firstSeed * RUNS; seed < (firstSeed + 1) * RUNS; seed++) {
      World world = new World(seed);
      for (int i = 0; i < 60; i++) {
        world.disturb();
        world.runFor(world.random.nextLong(2 * SECOND));
      }
      world.calm();
      boolean ready = world.random.nextBoolean();
      world.happens(new Event.Probed(ready ? new Readiness.Ready() : new Readiness.Unready("no")));
      // A call that is lost, a lease's time for what somebody else holds, and some pauses.
      world.runFor(20 * SECOND);
      int before = world.calls;
      world.runFor(20 * SECOND);
      assertThat(world.calls - before).as("calls in 20 quiet seconds, seed %d\n%s", seed, world).isLessThanOrEqualTo(ready ? 13 : 0);
      assertThat(world.leases).as("seed %d\n%s", seed, world).hasSize(ready ? 1 : 0);
      assertThat(world.entry != 0).as("seed %d\n%s", seed, world).isEqualTo(ready);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12})
  void once_it_is_over_nothing_is_left_in_the_cluster(long firstSeed) {
    for (long seed = firstSeed * RUNS; seed < (firstSeed + 1) * RUNS; seed++) {
      World world = new World(seed);
      for (int i = 0; i < world.random.nextInt(60); i++) {
        world.disturb();
        world.runFor(world.random.nextLong(SECOND));
      }
      world.happens(new Event.Withdraw(Reason.STOPPED));
      world.leases.remove(-1L);
      for (int i = 0; i < 200 && !world.lifecycle.isOver(); i++) {
        world.loss = 0.3;
        world.away = i < 10 && world.random.nextBoolean();
        world.runFor(SECOND / 4);
      }
      assertThat(world.lifecycle.isOver()).as("seed %d\n%s", seed, world).isTrue();
      assertThat(world.leases).as("seed %d\n%s", seed, world).isEmpty();
      int calls = world.calls;
      world.happens(new Event.Probed(new Readiness.Ready()));
      world.runFor(30 * SECOND);
      assertThat(world.calls).isEqualTo(calls);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {21})
  void a_cluster_that_is_away_for_long_is_asked_at_a_bounded_pace(long seed) {
    World world = new World(seed);
    world.happens(new Event.Probed(new Readiness.Ready()));
    world.runFor(SECOND);
    world.away = true;
    world.runFor(SECOND * 10);
    int before = world.calls;
    world.runFor(SECOND * 600);
    assertThat(world.calls - before).isBetween(100, 1_000);
    world.calm();
    world.runFor(SECOND * 10);
    assertThat(world.entry).isPositive();
  }
}
