package io.kvorum.server.peer;

import static io.kvorum.server.peer.TestPeer.await;
import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.raft.MembershipChange.Kind;
import io.kvorum.raft.Role;
import io.kvorum.server.base.FreePorts;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.Member;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Members with everything real but the client port, over loopback: what the parts promise each other. */
class RealClusterTest {
  private static final long CLUSTER = 0xabc;

  @TempDir Path directory;

  private final Map<Long, RealMember> running = new TreeMap<>();
  private final Map<Long, Integer> ports = new TreeMap<>();
  private List<Member> founders;

  @BeforeEach
  void found() throws Exception {
    founders = new ArrayList<>();
    for (long id = 1; id <= 3; id++) {
      ports.put(id, FreePorts.one());
      founders.add(new Member(id, "m" + id, List.of(url(id)), List.of(), false, 0));
    }
    for (long id = 1; id <= 3; id++) {
      start(id, founders);
    }
    await("elected", () -> running.values().stream().allMatch(m -> m.node.status().leader() != 0));
  }

  @AfterEach
  void stop() {
    running.values().forEach(RealMember::close);
  }

  private String url(long id) {
    return "http://127.0.0.1:" + ports.get(id);
  }

  private RealMember start(long id, List<Member> contacts) throws IOException {
    RealMember member = new RealMember(new Genesis(CLUSTER, id, founders, contacts), ports.get(id), directory.resolve("m" + id));
    running.put(id, member);
    return member;
  }

  private RealMember leader() throws InterruptedException {
    await("one leads", () -> running.values().stream().anyMatch(m -> m.node.status().role() == Role.LEADER));
    return running.values().stream().filter(m -> m.node.status().role() == Role.LEADER).findFirst().orElseThrow();
  }

  private RealMember follower() throws InterruptedException {
    long leader = leader().id;
    return running.values().stream().filter(m -> m.id != leader).findFirst().orElseThrow();
  }

  private static void write(RealMember member, int keys) throws Exception {
    List<CompletableFuture<Object>> puts = new ArrayList<>();
    for (int i = 0; i < keys; i++) {
      puts.add(member.put("key" + i % 97, new byte[1_000]));
    }
    CompletableFuture.allOf(puts.toArray(CompletableFuture[]::new)).get(30, TimeUnit.SECONDS);
  }

  private void awaitEqual() throws Exception {
    await("equal revisions", () -> running.values().stream().mapToLong(m -> m.store.revision()).distinct().count() == 1);
    assertThat(running.values().stream().mapToInt(RealMember::hash).distinct().count()).as("equal contents").isEqualTo(1);
  }

  @Test
  void writesReachAllMembersWhicheverTakesThem() throws Exception {
    write(leader(), 500);
    write(follower(), 500);

    awaitEqual();
    assertThat(leader().store.revision()).isEqualTo(1_001);
  }

  @Test
  void aLearnerCatchesUpByASnapshotIsPromotedAndRemoved() throws Exception {
    write(leader(), 1_000);
    await("the log is cut", () -> running.values().stream().allMatch(RealClusterTest::cut));
    ports.put(4L, FreePorts.one());
    leader().change(Kind.ADD_LEARNER, 4, url(4)).get(30, TimeUnit.SECONDS);

    RealMember fourth = start(4, List.copyOf(leader().members.view().members().values()));

    awaitEqual();
    await("it knows that it is a learner", fourth.members::isLocalLearner);
    assertThat(fourth.members.view()).isEqualTo(leader().members.view());
    assertThat(fourth.store.checkpoint().index()).as("came as a snapshot").isPositive();
    leader().change(Kind.PROMOTE, 4).get(30, TimeUnit.SECONDS);
    await("a voter everywhere", () -> running.values().stream().allMatch(m -> m.node.status().membership().isVoter(4)));
    write(fourth, 50);
    awaitEqual();

    leader().change(Kind.REMOVE, 4).get(30, TimeUnit.SECONDS);
    await("the removed member is told", () -> fourth.removals.get() == 1);
    running.remove(4L);
    fourth.close();
    write(follower(), 50);
    awaitEqual();
  }

  private static boolean cut(RealMember member) {
    List<io.kvorum.raft.Entry> held;
    try {
      held = member.node.committed(1, 1);
    } catch (RuntimeException alreadyCut) {
      return true;
    }
    return held.isEmpty() || held.getFirst().index() > 1;
  }

  @Test
  void aLearnerThatGetsTheWholeLogStartsFromTheFounders() throws Exception {
    write(leader(), 5);
    ports.put(4L, FreePorts.one());
    leader().change(Kind.ADD_LEARNER, 4, url(4)).get(30, TimeUnit.SECONDS);

    RealMember fourth = start(4, List.copyOf(leader().members.view().members().values()));

    awaitEqual();
    await("the same members", () -> fourth.members.view().equals(running.get(1L).members.view()));
    RealMember leader = leader();
    await("the same voters and learners", () -> fourth.node.status().membership().equals(leader.node.status().membership()));
  }

  @Test
  void aDeadLeaderIsReplacedAndFindsItsWayBack() throws Exception {
    write(leader(), 200);
    for (int round = 0; round < 3; round++) {
      RealMember dead = leader();
      running.remove(dead.id);
      dead.close();
      RealMember next = leader();
      next.put("after" + round, new byte[10]).get(30, TimeUnit.SECONDS);
      start(dead.id, founders);
      await("back", () -> running.values().stream().allMatch(m -> m.node.status().leader() != 0));
      write(follower(), 20);
      awaitEqual();
    }
  }
}
