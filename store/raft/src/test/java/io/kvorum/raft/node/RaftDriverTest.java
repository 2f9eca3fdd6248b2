package io.kvorum.raft.node;

import static io.kvorum.raft.node.TestCluster.await;
import static io.kvorum.raft.node.TestCluster.voters;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.raft.Entry;
import io.kvorum.raft.EntryType;
import io.kvorum.raft.MembershipChange;
import io.kvorum.raft.Message;
import io.kvorum.raft.Role;
import io.kvorum.raft.log.FaultDisk;
import io.kvorum.raft.log.LogReader;
import io.kvorum.raft.node.RaftNode.ProposeResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class RaftDriverTest {
  @TempDir Path directory;

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void aSoleVoterLeadsAtOnceAndKeepsWhatItAcknowledged() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false).start(1)) {
      TestCluster.Member member = cluster.awaitLeader();
      for (int i = 0; i < 50; i++) {
        member.propose("c" + i);
      }
      assertThat(member.read()).hasSize(50).startsWith("c0", "c1").endsWith("c49");
      assertThat(member.machine.leadership.role()).isEqualTo(Role.LEADER);
      await("the status follows the answer", () -> member.node.status().applied() == 51);
      assertThat(member.node.committed(1, Long.MAX_VALUE)).hasSize(51);
      long index = member.node.status().applied();
      member.stop();
      assertThat(member.store.durable.meta().index()).as("a clean stop takes a checkpoint").isEqualTo(index);
      assertThat(LogReader.summary(directory.resolve("log-1")).hardState().commit()).as("what a dump calls committed").isEqualTo(index);
      member.start();
      cluster.awaitLeader();
      assertThat(member.read()).hasSize(50);
      member.propose("after");
      assertThat(member.read()).hasSize(51).endsWith("after");
    }
  }

  @Test
  void aTaskSeesTheStateBetweenTwoBatches() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false).start(1)) {
      TestCluster.Member member = cluster.awaitLeader();
      member.propose("one");
      assertThat(member.node.atPosition(at -> Thread.currentThread().getName() + " " + at.index() + " " + at.membership().voters().size()).get(30, TimeUnit.SECONDS))
          .as("behind the leader's first entry and the proposal")
          .isEqualTo("raft 2 1");
      CompletableFuture<Object> failed =
          member.node.atPosition(
              at -> {
                throw new IllegalArgumentException("the task's own");
              });
      assertThatThrownBy(() -> failed.get(30, TimeUnit.SECONDS)).hasRootCauseMessage("the task's own");
      member.propose("the node goes on");
      RaftNode node = member.node;
      member.stop();
      assertThatThrownBy(() -> node.atPosition(at -> 1).get(30, TimeUnit.SECONDS)).hasCauseInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void threeMembersApplyTheSameInTheSameOrder() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false).start(3)) {
      cluster.awaitLeader();
      List<CompletableFuture<Long>> all = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        TestCluster.Member member = cluster.member(1 + i % 3);
        all.add(member.machine.await("c" + i));
        assertThat(member.node.propose(bytes("c" + i))).isEqualTo(ProposeResult.ACCEPTED);
      }
      for (CompletableFuture<Long> one : all) {
        one.get(30, TimeUnit.SECONDS);
      }
      assertThat(cluster.awaitSame()).hasSize(300).contains(IntStream.range(0, 300).mapToObj(i -> "c" + i).toArray(String[]::new));
    }
  }

  @Test
  void aFollowerReadsWhatTheLeaderAcknowledged() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false).start(3)) {
      TestCluster.Member leader = cluster.awaitLeader();
      TestCluster.Member follower = cluster.follower();
      for (int i = 0; i < 50; i++) {
        leader.propose("c" + i);
        assertThat(follower.read()).endsWith("c" + i);
        assertThat(leader.read()).endsWith("c" + i);
      }
    }
  }

  @Test
  void anotherLeaderTakesOverWhenTheLeaderCloses() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false).start(3)) {
      TestCluster.Member first = cluster.awaitLeader();
      first.propose("before");
      first.stop();
      TestCluster.Member second = cluster.awaitLeader();
      assertThat(second.id).isNotEqualTo(first.id);
      second.propose("between");
      first.start();
      cluster.awaitLeader().propose("after");
      assertThat(cluster.awaitSame()).containsExactly("before", "between", "after");
    }
  }

  @Test
  void anIsolatedLeaderServesNoLinearizableRead() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false)) {
      cluster.driverOptions = cluster.driverOptions.withTimes(4000, 100);
      cluster.start(3);
      TestCluster.Member old = cluster.awaitLeader();
      old.propose("one");
      cluster.isolate(old.id);
      CompletableFuture<List<String>> read = new CompletableFuture<>();
      old.node.readIndex(old.callback(read));
      TestCluster.Member other = cluster.awaitLeader();
      other.propose("two");
      assertThatThrownBy(() -> read.get(30, TimeUnit.SECONDS)).as("without any leader it waits, then times out").hasMessageContaining("TIMED_OUT");
      CompletableFuture<List<String>> second = new CompletableFuture<>();
      old.node.readIndex(old.callback(second));
      cluster.heal();
      // It had no leader when it was asked, so the new one answers.
      assertThat(second.get(30, TimeUnit.SECONDS)).contains("two");
    }
  }

  @Test
  void aReadThatWaitsWhileTheLeaderChangesFails() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false).start(3)) {
      TestCluster.Member old = cluster.awaitLeader();
      old.propose("one");
      cluster.isolate(old.id);
      CompletableFuture<List<String>> read = new CompletableFuture<>();
      old.node.readIndex(old.callback(read));
      cluster.awaitLeader();
      cluster.heal();
      assertThatThrownBy(() -> read.get(30, TimeUnit.SECONDS)).isInstanceOf(ExecutionException.class).hasMessageContaining("LEADER_CHANGED");
    }
  }

  @Test
  void leadershipMovesWhereItIsAsked() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false).start(3)) {
      TestCluster.Member leader = cluster.awaitLeader();
      TestCluster.Member target = cluster.follower();
      assertThat(target.node.transferLeadership(target.id).get(30, TimeUnit.SECONDS)).as("asked of a follower").isFalse();
      assertThat(leader.node.transferLeadership(99).get(30, TimeUnit.SECONDS)).as("to nobody").isFalse();
      long term = leader.node.status().term();
      assertThat(leader.node.transferLeadership(target.id).get(30, TimeUnit.SECONDS)).isTrue();
      TestCluster.Member now = cluster.awaitLeader();
      assertThat(now.node.status().term()).isGreaterThan(term);
      assertThat(now.node.transferLeadership(0).get(30, TimeUnit.SECONDS)).isTrue();
      cluster.awaitLeader().propose("done");
    }
  }

  @Test
  void aTransferToAnUnreachableMemberFailsAndProposalsGoOn() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false).start(3)) {
      TestCluster.Member leader = cluster.awaitLeader();
      leader.propose("one");
      TestCluster.Member target = cluster.follower();
      cluster.isolate(target.id);
      CompletableFuture<Boolean> moved = leader.node.transferLeadership(target.id);
      CompletableFuture<Long> kept = leader.machine.await("kept");
      assertThat(leader.node.propose(bytes("kept"))).isEqualTo(ProposeResult.ACCEPTED);
      assertThat(moved.get(30, TimeUnit.SECONDS)).isFalse();
      kept.get(30, TimeUnit.SECONDS);
      cluster.heal();
      assertThat(cluster.awaitSame()).containsExactly("one", "kept");
    }
  }

  @Test
  void whatAFollowerHandsOverDuringATransferWaitsForItsEnd() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false).start(3)) {
      TestCluster.Member leader = cluster.awaitLeader();
      TestCluster.Member target = cluster.follower();
      TestCluster.Member other = cluster.members.values().stream().filter(m -> m != leader && m != target).findFirst().orElseThrow();
      cluster.isolate(target.id);
      CompletableFuture<Boolean> moved = leader.node.transferLeadership(target.id);
      await("the transfer is under way", () -> leader.node.status().transferee() == target.id || moved.isDone());
      CompletableFuture<Long> handedOver = other.machine.await("handed over");
      assertThat(other.node.propose(bytes("handed over"))).isEqualTo(ProposeResult.ACCEPTED);
      assertThat(moved.get(20, TimeUnit.SECONDS)).isFalse();
      handedOver.get(20, TimeUnit.SECONDS);
      cluster.heal();
      assertThat(cluster.awaitSame()).containsExactly("handed over");
    }
  }

  @Test
  void whatIsHandedToAMemberThatLeadsNoMoreGoesOnToTheLeaderOnce() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false).start(3)) {
      TestCluster.Member leader = cluster.awaitLeader();
      TestCluster.Member former = cluster.follower();
      long other = cluster.members.keySet().stream().filter(id -> id != leader.id && id != former.id).findFirst().orElseThrow();
      CompletableFuture<Long> late = leader.machine.await("late");
      former.node.receive(
          new Message(
              Message.Type.PROPOSE, other, former.id, 0, 0, 0, 0, false, 0, 0, List.of(new Entry(0, 0, EntryType.NORMAL, 0, bytes("late"))), null));
      late.get(20, TimeUnit.SECONDS);
      leader.propose("next");
      assertThat(cluster.awaitSame()).containsExactly("late", "next");
    }
  }

  @Test
  void membersComeAsLearnersArePromotedAndLeave() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false).start(1)) {
      TestCluster.Member one = cluster.awaitLeader();
      one.propose("alone");
      TestCluster.Member two = cluster.add(2, voters(1));
      two.start();
      change(one, MembershipChange.Kind.ADD_LEARNER, 2);
      await("learner catches up", () -> two.machine.published().equals(List.of("alone")));
      assertThat(one.node.status().membership().learners()).containsExactly(2L);
      change(one, MembershipChange.Kind.PROMOTE, 2);
      await("promoted everywhere", () -> two.node.status().membership().isVoter(2) && one.node.status().membership().isVoter(2));
      one.propose("two of us");
      assertThat(two.read()).containsExactly("alone", "two of us");
      assertThat(one.node.status().followers().get(2L).match()).isPositive();

      change(one, MembershipChange.Kind.REMOVE, 1);
      assertThat(one.node.failure().get(30, TimeUnit.SECONDS)).isInstanceOfSatisfying(RemovedException.class, e -> assertThat(e.memberId()).isEqualTo(1));
      assertThat(one.node.propose(bytes("x"))).isEqualTo(ProposeResult.STOPPED);
      await("the other leads alone", two::isLeader);
      two.propose("alone again");
      assertThat(two.read()).containsExactly("alone", "two of us", "alone again");
      assertThat(two.machine.membership()).isEqualTo(voters(2));
    }
  }

  private static void change(TestCluster.Member leader, MembershipChange.Kind kind, long id) throws InterruptedException {
    assertThat(leader.node.proposeMembership(new MembershipChange(kind, id, new byte[0]))).isEqualTo(ProposeResult.ACCEPTED);
    MembershipChange change = new MembershipChange(kind, id, new byte[0]);
    await(kind + " applied", () -> leader.machine.membership().with(change).equals(leader.machine.membership()));
  }

  @Test
  void proposalsWithoutALeaderWaitForOneAndThenExpire() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false)) {
      cluster.driverOptions = cluster.driverOptions.withTimes(4000, 100);
      TestCluster.Member one = cluster.add(1, voters(1, 2, 3));
      TestCluster.Member two = cluster.add(2, voters(1, 2, 3));
      one.start();
      assertThat(one.node.propose(bytes("too early"))).isEqualTo(ProposeResult.ACCEPTED);
      CompletableFuture<List<String>> read = new CompletableFuture<>();
      one.node.readIndex(one.callback(read));
      assertThatThrownBy(() -> read.get(30, TimeUnit.SECONDS)).hasMessageContaining("TIMED_OUT");
      CompletableFuture<Long> inTime = one.machine.await("in time");
      assertThat(one.node.propose(bytes("in time"))).isEqualTo(ProposeResult.ACCEPTED);
      two.start();
      inTime.get(30, TimeUnit.SECONDS);
      assertThat(one.read()).containsExactly("in time");
    }
  }

  @Test
  void boundsAreKept() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false)) {
      cluster.driverOptions = cluster.driverOptions.withBounds(10, 1000, 5);
      TestCluster.Member one = cluster.add(1, voters(1, 2, 3));
      one.start();
      assertThat(one.node.propose(new byte[900])).isEqualTo(ProposeResult.ACCEPTED);
      assertThat(one.node.propose(new byte[200])).as("too many bytes").isEqualTo(ProposeResult.REFUSED);
      for (int i = 0; i < 9; i++) {
        assertThat(one.node.propose(new byte[1])).isEqualTo(ProposeResult.ACCEPTED);
      }
      assertThat(one.node.propose(new byte[1])).as("too many").isEqualTo(ProposeResult.REFUSED);
      AtomicInteger refused = new AtomicInteger();
      AtomicInteger stopped = new AtomicInteger();
      for (int i = 0; i < 8; i++) {
        one.node.readIndex(
            new ReadCallback() {
              @Override
              public void ready() {
                throw new AssertionError("there is no leader");
              }

              @Override
              public void failed(Failure reason) {
                (reason == Failure.TOO_MANY ? refused : stopped).incrementAndGet();
              }
            });
      }
      assertThat(refused.get()).isEqualTo(3);
      one.stop();
      assertThat(stopped.get()).as("told when the member stops").isEqualTo(5);
    }
  }

  @Test
  void aFailedForceStopsTheNodeAndAcknowledgesNothing() throws Exception {
    for (int size : new int[] {1, 3}) {
      try (TestCluster cluster = new TestCluster(directory.resolve("size" + size), true).start(size)) {
        TestCluster.Member leader = cluster.awaitLeader();
        leader.propose("one");
        ((FaultDisk) leader.disk).failForces(true);
        CompletableFuture<Long> lost = leader.machine.await("lost");
        leader.node.propose(bytes("lost"));
        assertThat(leader.node.failure().get(30, TimeUnit.SECONDS)).hasMessageContaining("Input/output error");
        assertThat(leader.node.propose(bytes("more"))).isEqualTo(ProposeResult.STOPPED);
        if (size == 1) {
          assertThat(lost).isNotDone();
        }
        CompletableFuture<List<String>> read = new CompletableFuture<>();
        leader.node.readIndex(leader.callback(read));
        assertThatThrownBy(() -> read.get(30, TimeUnit.SECONDS)).hasMessageContaining("STOPPED");
      }
    }
  }

  @Test
  void aLongPauseDoesNotDisturbTheLeader() throws Exception {
    try (TestCluster cluster = new TestCluster(directory, false)) {
      // Real pauses must not look like a lost leader: its heartbeats may be late by six seconds.
      cluster.driverOptions = DriverOptions.of(200, 200L * TestCluster.ELECTION_TICKS).withInitialTicks(TestCluster.ELECTION_TICKS - 1).withTimes(7000, 200);
      cluster.start(3);
      TestCluster.Member leader = cluster.awaitLeader();
      TestCluster.Member follower = cluster.follower();
      long term = leader.node.status().term();
      for (int i = 0; i < 5; i++) {
        follower.clockSkewNanos.addAndGet(TimeUnit.HOURS.toNanos(1));
        leader.propose("c" + i);
      }
      assertThat(cluster.awaitSame()).hasSize(5);
      assertThat(cluster.awaitLeader().node.status().term()).isEqualTo(term);
    }
  }
}
