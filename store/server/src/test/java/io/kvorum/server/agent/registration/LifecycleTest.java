package io.kvorum.server.agent.registration;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.server.agent.registration.Event.Holder;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Step by step; {@link LifecycleSimulationTest} has it live through everything. */
class LifecycleTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final Event READY = new Event.Probed(new Readiness.Ready());
  private static final Event UNREADY = new Event.Probed(new Readiness.Unready("HTTP status 503"));
  private static final Event SILENT = new Event.Probed(new Readiness.Silent("late"));
  private static final Event STOP = new Event.Withdraw(Reason.STOPPED);

  private final AtomicLong ids = new AtomicLong();
  private final Lifecycle lifecycle = new Lifecycle(9, ids::incrementAndGet, new Random(1), 0);

  private List<Effect> work(Event event, long now) {
    return lifecycle.on(event, now).stream().filter(effect -> !(effect instanceof Effect.Note)).toList();
  }

  private static Stream<Reason> reasons(List<Effect> effects) {
    return effects.stream().filter(Effect.Note.class::isInstance).map(effect -> ((Effect.Note) effect).reason());
  }

  private void register(long now) {
    work(READY, now);
    work(new Event.Written(ids.get(), 9), now);
    assertThat(lifecycle.state()).isInstanceOf(Lifecycle.State.Present.class);
  }

  @Test
  void nothing_is_written_before_the_application_is_ready() {
    assertThat(work(UNREADY, 0)).isEmpty();
    assertThat(work(new Event.Tick(), 100 * SECOND)).isEmpty();
    assertThat(lifecycle.wakeAt()).isEqualTo(Long.MAX_VALUE);
    assertThat(work(READY, 101 * SECOND)).containsExactly(new Effect.Write(1, 9));
    assertThat(work(READY, 102 * SECOND)).isEmpty();
  }

  @Test
  void the_lease_is_renewed_at_a_third_of_its_time_counted_from_when_it_was_asked_for() {
    work(READY, 10 * SECOND);
    work(new Event.Written(1, 9), 11 * SECOND);
    assertThat(lifecycle.wakeAt()).isEqualTo(13 * SECOND);
    assertThat(work(new Event.Tick(), 13 * SECOND)).containsExactly(new Effect.Renew(1));
    assertThat(work(new Event.Tick(), 14 * SECOND)).isEmpty();
    work(new Event.Renewed(1, 12, Holder.OURS), 14 * SECOND);
    assertThat(lifecycle.wakeAt()).isEqualTo(17 * SECOND);
  }

  @Test
  void a_lost_lease_leads_to_another_at_once() {
    register(0);
    work(new Event.Tick(), 3 * SECOND);
    List<Effect> effects = lifecycle.on(new Event.LeaseGone(1), 3 * SECOND);
    assertThat(effects).contains(new Effect.Write(2, 9));
    assertThat(reasons(effects)).containsExactly(Reason.LEASE_LOST);
  }

  @Test
  void an_entry_that_somebody_removed_is_written_again_and_its_lease_given_back_first() {
    register(0);
    work(new Event.Tick(), 3 * SECOND);
    assertThat(work(new Event.Renewed(1, 9, Holder.NOBODY), 3 * SECOND)).containsExactly(new Effect.Revoke(1));
    assertThat(work(new Event.Revoked(1), 3 * SECOND)).containsExactly(new Effect.Write(2, 9));
  }

  @Test
  void two_agents_with_one_name_take_turns_no_faster_than_a_lease_lasts() {
    register(0);
    work(new Event.Tick(), 3 * SECOND);
    assertThat(work(new Event.Renewed(1, 9, Holder.ANOTHER), 3 * SECOND)).containsExactly(new Effect.Revoke(1));
    assertThat(work(new Event.Revoked(1), 3 * SECOND)).isEmpty();
    assertThat(lifecycle.wakeAt()).isEqualTo(12 * SECOND);
    assertThat(work(new Event.Tick(), 12 * SECOND)).containsExactly(new Effect.Write(2, 9));
  }

  @Test
  void no_longer_ready_takes_the_entry_away_even_while_a_renewal_is_under_way() {
    register(0);
    assertThat(work(new Event.Tick(), 3 * SECOND)).containsExactly(new Effect.Renew(1));
    assertThat(work(UNREADY, 3 * SECOND)).containsExactly(new Effect.Revoke(1));
    assertThat(work(new Event.Renewed(1, 9, Holder.OURS), 3 * SECOND)).isEmpty();
    assertThat(work(new Event.Revoked(1), 3 * SECOND)).isEmpty();
    assertThat(lifecycle.state()).isInstanceOf(Lifecycle.State.Absent.class);
    assertThat(lifecycle.isOver()).isFalse();
    assertThat(work(READY, 4 * SECOND)).containsExactly(new Effect.Write(2, 9));
  }

  @Test
  void one_probe_without_an_answer_is_borne_and_three_in_a_row_are_not() {
    register(0);
    for (int i = 0; i < 5; i++) {
      assertThat(work(SILENT, 1)).isEmpty();
      assertThat(work(SILENT, 1)).isEmpty();
      assertThat(work(READY, 1)).isEmpty();
    }
    assertThat(work(SILENT, 1)).isEmpty();
    assertThat(work(SILENT, 1)).isEmpty();
    assertThat(work(SILENT, 1)).containsExactly(new Effect.Revoke(1));
  }

  @Test
  void silence_does_not_make_an_application_ready() {
    for (int i = 0; i < 10; i++) {
      assertThat(work(SILENT, i)).isEmpty();
    }
    assertThat(lifecycle.isReady()).isFalse();
  }

  @Test
  void a_stop_revokes_at_once_and_is_over_only_when_that_is_confirmed() {
    register(0);
    assertThat(work(STOP, 1)).containsExactly(new Effect.Revoke(1));
    assertThat(lifecycle.isOver()).isFalse();
    assertThat(work(new Event.RevokeFailed(1, "no leader"), 2)).isEmpty();
    long again = lifecycle.wakeAt();
    assertThat(again).isBetween(2 + TimeUnit.MILLISECONDS.toNanos(80), 2 + TimeUnit.MILLISECONDS.toNanos(120));
    assertThat(work(new Event.Tick(), again)).containsExactly(new Effect.Revoke(1));
    assertThat(work(new Event.Revoked(1), again)).isEmpty();
    assertThat(lifecycle.isOver()).isTrue();
    assertThat(work(READY, again + SECOND)).isEmpty();
    assertThat(work(STOP, again + SECOND)).isEmpty();
  }

  @Test
  void a_stop_during_a_write_waits_for_its_outcome_and_then_revokes() {
    work(READY, 0);
    assertThat(work(STOP, 1)).isEmpty();
    assertThat(lifecycle.isOver()).isFalse();
    assertThat(work(new Event.Written(1, 9), 2)).containsExactly(new Effect.Revoke(1));
    work(new Event.Revoked(1), 3);
    assertThat(lifecycle.isOver()).isTrue();
  }

  @Test
  void a_stop_without_an_entry_is_over_at_once() {
    work(STOP, 0);
    assertThat(lifecycle.isOver()).isTrue();
  }

  @Test
  void a_write_with_an_unknown_outcome_is_undone_before_the_next() {
    work(READY, 0);
    assertThat(work(new Event.WriteFailed(1, "timed out"), SECOND)).containsExactly(new Effect.Revoke(1));
    assertThat(work(new Event.Revoked(1), SECOND)).isEmpty();
    long again = lifecycle.wakeAt();
    assertThat(again - SECOND).isBetween(TimeUnit.MILLISECONDS.toNanos(80), TimeUnit.MILLISECONDS.toNanos(120));
    assertThat(work(new Event.Tick(), again)).containsExactly(new Effect.Write(2, 9));
  }

  @Test
  void pauses_grow_to_a_sixth_of_the_leases_time() {
    register(0);
    long now = 3 * SECOND;
    long pause = 0;
    for (int i = 0; i < 40; i++) {
      assertThat(lifecycle.on(new Event.Tick(), now)).contains(new Effect.Renew(1));
      lifecycle.on(new Event.RenewFailed(1, "down"), now);
      now = Math.max(now, ((Lifecycle.State.Present) lifecycle.state()).renewAt());
      pause = ((Lifecycle.State.Present) lifecycle.state()).renewAt() - now + (i == 39 ? 1 : 0);
    }
    assertThat(pause).isEqualTo(1);
    // 100, 200, 400, 800 ms, then 1.5 s: 40 attempts take about 55 s.
    assertThat(now).isBetween(40 * SECOND, 70 * SECOND);
  }

  @Test
  void an_overdue_lease_is_told_once_and_renewed_further() {
    register(0);
    work(new Event.Tick(), 3 * SECOND);
    assertThat(lifecycle.wakeAt()).isEqualTo(9 * SECOND);
    assertThat(reasons(lifecycle.on(new Event.Tick(), 9 * SECOND))).containsExactly(Reason.OVERDUE);
    assertThat(reasons(lifecycle.on(new Event.Tick(), 10 * SECOND))).isEmpty();
    lifecycle.on(new Event.RenewFailed(1, "down"), 10 * SECOND);
    assertThat(work(new Event.Tick(), lifecycle.wakeAt())).containsExactly(new Effect.Renew(1));
    lifecycle.on(new Event.Renewed(1, 9, Holder.OURS), 11 * SECOND);
    assertThat(((Lifecycle.State.Present) lifecycle.state()).overdue()).isFalse();
  }

  @Test
  void what_cannot_be_revoked_counts_as_gone_when_its_time_is_over() {
    register(0);
    work(UNREADY, SECOND);
    work(new Event.RevokeFailed(1, "permission denied"), 2 * SECOND);
    work(new Event.Tick(), lifecycle.wakeAt());
    work(new Event.RevokeFailed(1, "permission denied"), 9 * SECOND);
    assertThat(reasons(lifecycle.on(new Event.Tick(), 10 * SECOND))).contains(Reason.LEFT_TO_EXPIRE);
    assertThat(lifecycle.state()).isInstanceOf(Lifecycle.State.Absent.class);
  }

  @Test
  void answers_about_other_leases_are_ignored() {
    register(0);
    assertThat(work(new Event.LeaseGone(7), 1)).isEmpty();
    assertThat(work(new Event.Renewed(7, 9, Holder.NOBODY), 1)).isEmpty();
    assertThat(work(new Event.WriteFailed(7, ""), 1)).isEmpty();
    assertThat(work(new Event.Revoked(7), 1)).isEmpty();
    assertThat(lifecycle.state()).isInstanceOf(Lifecycle.State.Present.class);
  }
}
