package io.kvorum.server.propose;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.StatusRuntimeException;
import io.kvorum.raft.Role;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whoever races with whom over a call, it ends exactly once. */
class PendingCallsTest {
  private static final Limits LIMITS = new Limits(1_000, 128, 100, 1_000, 0, 1_000);
  private static final int THREADS = 3;
  private static final int CALLS = 40_000;

  private final AtomicLong now = new AtomicLong();
  private final PendingCalls calls = new PendingCalls(7, 1_000, now::get, LIMITS);
  private final Queue<Long> applied = new ConcurrentLinkedQueue<>();
  private final List<Outcome> outcomes = new ArrayList<>();

  private static final class Outcome implements Completion<Long> {
    private final AtomicInteger times = new AtomicInteger();
    private volatile Long answer;

    @Override
    public void done(Long id) {
      answer = id;
      times.incrementAndGet();
    }

    @Override
    public void failed(StatusRuntimeException reason) {
      times.incrementAndGet();
    }
  }

  @Test
  @Timeout(60)
  void eachCallEndsOnceWhileApplyTimerAndRefusalsRace() throws Exception {
    RaftStatus status = FakeNode.status(Role.LEADER, 1, 0, 0, Map.of());
    CountDownLatch registered = new CountDownLatch(THREADS);
    List<Thread> threads = new ArrayList<>();
    for (int thread = 0; thread < THREADS; thread++) {
      List<Outcome> mine = new ArrayList<>();
      threads.add(Thread.ofPlatform().start(() -> register(mine, registered)));
    }
    threads.add(Thread.ofPlatform().start(() -> apply(registered)));
    threads.add(Thread.ofPlatform().start(() -> sweep(registered, status)));
    for (Thread thread : threads) {
      thread.join();
    }
    calls.close();
    assertThat(outcomes).hasSize(THREADS * CALLS).allSatisfy(outcome -> assertThat(outcome.times).hasValue(1));
    assertThat(outcomes.stream().filter(outcome -> outcome.answer != null).map(outcome -> outcome.answer)).as("no answer went to two calls").doesNotHaveDuplicates();
  }

  private void register(List<Outcome> mine, CountDownLatch registered) {
    for (int i = 0; i < CALLS; i++) {
      Outcome outcome = new Outcome();
      mine.add(outcome);
      PendingCalls.Call call = calls.register(outcome);
      if (call == null) {
        outcome.failed(EtcdError.TOO_MANY_REQUESTS.exception());
      } else if (i % 7 == 0) {
        applied.add(call.id());
        call.refused(EtcdError.SERVER_STOPPED);
      } else if (i % 5 != 0) {
        applied.add(call.id());
      }
    }
    synchronized (outcomes) {
      outcomes.addAll(mine);
    }
    registered.countDown();
  }

  private void apply(CountDownLatch registered) {
    while (registered.getCount() > 0 || !applied.isEmpty()) {
      Long id = applied.poll();
      var call = id == null ? null : calls.find(id);
      if (call != null) {
        call.succeeded(id);
      }
    }
  }

  private void sweep(CountDownLatch registered, RaftStatus status) {
    while (registered.getCount() > 0) {
      now.addAndGet(TimeUnit.SECONDS.toNanos(3));
      calls.sweep(() -> status);
    }
  }
}
