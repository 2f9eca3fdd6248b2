package io.kvorum.server.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.CompactionResponse;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.internal.LogRequest;
import io.kvorum.protocol.internal.MemberContext;
import io.kvorum.raft.Membership;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Role;
import io.kvorum.raft.node.RaftStatus;
import io.kvorum.server.base.Completion;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Kernel;
import io.kvorum.server.base.Limits;
import io.kvorum.server.base.Proposals;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class AutoCompactorTest {
  private static final long MINUTE = TimeUnit.MINUTES.toNanos(1);

  private final List<Long> compacted = new ArrayList<>();
  private long now = 17;
  private long revision = 1;
  private Role role = Role.LEADER;
  private EtcdError refusal;

  private final class Log implements Proposals {
    @Override
    @SuppressWarnings("unchecked")
    public <T> void propose(LogRequest.Builder request, Completion<T> completion) {
      compacted.add(request.getCompaction().getRevision());
      if (refusal == null) {
        completion.done((T) CompactionResponse.getDefaultInstance());
      } else {
        completion.failed(refusal.exception());
      }
    }

    @Override
    public void proposeMembership(MembershipChange.Kind kind, long member, MemberContext.Builder context, Completion<ResponseHeader> completion) {
      throw new AssertionError("no change of members was asked for");
    }
  }

  private AutoCompactor compactor(boolean byRevisions, long retention) {
    MvccStore store =
        (MvccStore) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {MvccStore.class}, (proxy, method, arguments) -> revision);
    Kernel kernel =
        new Kernel(
            1, 2, store, () -> new RaftStatus(2, role, 1, 2, 1, 1, 1, Membership.EMPTY, 0, Map.of()), new Log(), completion -> {},
            new Limits(1 << 20, 128, 100, 1000, 0, 1000));
    return new AutoCompactor(kernel, byRevisions, retention, () -> now);
  }

  /** Lets time pass, a revision each minute, and runs when due. */
  private void pass(AutoCompactor compactor, int minutes) {
    long end = now + minutes * MINUTE;
    while (now + compactor.intervalNanos() <= end) {
      now += compactor.intervalNanos();
      revision += compactor.intervalNanos() / MINUTE;
      compactor.run();
    }
  }

  @Test
  void by_revisions_the_newest_are_kept_and_nothing_is_done_twice() {
    AutoCompactor compactor = compactor(true, 100);
    compactor.run();
    revision = 100;
    compactor.run();
    assertThat(compacted).isEmpty();
    revision = 150;
    compactor.run();
    compactor.run();
    assertThat(compacted).containsExactly(50L);
    assertThat(compactor.intervalNanos()).isEqualTo(5 * MINUTE);
  }

  @Test
  void by_time_the_first_comes_after_a_whole_period_and_to_what_was_current_then() {
    AutoCompactor compactor = compactor(false, 60 * MINUTE);
    assertThat(compactor.intervalNanos()).isEqualTo(6 * MINUTE);
    pass(compactor, 54);
    assertThat(compacted).isEmpty();
    pass(compactor, 12);
    assertThat(compacted).hasSize(1);
    assertThat(compacted.getFirst()).isBetween(1L, 7L);
    pass(compactor, 60);
    assertThat(compacted).hasSize(2);
    assertThat(compacted.get(1) - compacted.get(0)).isBetween(48L, 66L);
  }

  @Test
  void a_long_retention_is_sampled_each_six_minutes_and_compacted_each_hour() {
    AutoCompactor compactor = compactor(false, 600 * MINUTE);
    assertThat(compactor.intervalNanos()).isEqualTo(6 * MINUTE);
    pass(compactor, 594);
    assertThat(compacted).isEmpty();
    pass(compactor, 66);
    assertThat(compacted).isNotEmpty().allMatch(at -> revision - at >= 594);
  }

  @Test
  void a_failure_is_tried_again_and_already_compacted_is_no_failure() {
    AutoCompactor compactor = compactor(true, 10);
    revision = 30;
    refusal = EtcdError.TOO_MANY_REQUESTS;
    compactor.run();
    refusal = EtcdError.COMPACTED;
    compactor.run();
    compactor.run();
    assertThat(compacted).containsExactly(20L, 20L);
  }

  @Test
  void only_the_leader_compacts_and_a_new_leader_begins_to_count_anew() {
    AutoCompactor compactor = compactor(false, 60 * MINUTE);
    role = Role.FOLLOWER;
    pass(compactor, 120);
    assertThat(compacted).isEmpty();
    role = Role.LEADER;
    pass(compactor, 54);
    assertThat(compacted).isEmpty();
    pass(compactor, 12);
    assertThat(compacted).hasSize(1);
    assertThat(revision - compacted.getFirst()).isGreaterThanOrEqualTo(54);
  }
}
