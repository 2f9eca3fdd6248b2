package io.kvorum.raft.node;

import static io.kvorum.raft.node.TestCluster.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.core.RaftConfig;
import io.kvorum.raft.log.LogOptions;
import io.kvorum.raft.log.SegmentedLog;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Crashes, checkpoints and snapshots. */
@Timeout(180)
class DriverRecoveryTest {
  @TempDir Path directory;

  private TestCluster cutting(boolean faulty) {
    TestCluster cluster = new TestCluster(directory, faulty);
    cluster.logOptions = LogOptions.defaults().withSegmentBytes(4096, 8192).withRetention(1, 5);
    cluster.checkpointBytes = 4000;
    return cluster;
  }

  @Test
  void aMemberFarBehindGetsASnapshot() throws Exception {
    try (TestCluster cluster = cutting(false).start(3)) {
      TestCluster.Member late = cluster.follower();
      late.stop();
      TestCluster.Member leader = cluster.awaitLeader();
      for (int i = 0; i < 300; i++) {
        leader.propose("c" + i);
      }
      assertThat(leader.machine.checkpoints).isPositive();
      await("the log is cut behind the checkpoint", () -> leader.log.firstIndex() > 200 && leader.log.files().size() < 5);
      late.start();
      assertThat(cluster.awaitSame()).hasSize(300);
      assertThat(late.machine.installs).isEqualTo(1);
      leader.propose("after");
      assertThat(late.read()).hasSize(301).endsWith("after");
      late.stop();
      late.start();
      assertThat(cluster.awaitSame()).hasSize(301);
    }
  }

  @Test
  void aCrashBetweenInstallAndLogResetIsMendedAtTheNextStart() throws Exception {
    try (TestCluster cluster = cutting(false).start(3)) {
      TestCluster.Member late = cluster.follower();
      late.stop();
      TestCluster.Member leader = cluster.awaitLeader();
      for (int i = 0; i < 200; i++) {
        leader.propose("c" + i);
      }
      late.failPoint =
          name -> {
            if (name.equals("raft.node.after-install")) {
              throw new IllegalStateException("crash here");
            }
          };
      late.start();
      assertThat(late.node.failure().get(30, TimeUnit.SECONDS)).hasStackTraceContaining("crash here");
      late.node.close();
      late.node = null;
      assertThat(late.store.durable.meta().index()).isPositive();
      late.failPoint = name -> {};
      late.start();
      assertThat(cluster.awaitSame()).hasSize(200);
    }
  }

  @Test
  void aStateOlderThanTheLogIsRefused() throws Exception {
    try (TestCluster cluster = cutting(false).start(1)) {
      TestCluster.Member one = cluster.awaitLeader();
      for (int i = 0; i < 200; i++) {
        one.propose("c" + i);
      }
      one.stop();
      SegmentedLog log = SegmentedLog.open(directory.resolve("log-1"), cluster.logOptions);
      assertThat(log.firstIndex()).isGreaterThan(1);
      SnapshotMeta start = new SnapshotMeta(0, 0, TestCluster.voters(1));
      ToyMachine empty = new ToyMachine(new ToyMachine.Store(start), 1);
      assertThatThrownBy(
              () ->
                  RaftDriver.open(
                      RaftConfig.defaults(1), cluster.driverOptions, log, start, empty, messages -> {}, TimeSource.SYSTEM, n -> 0, name -> {}))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("missing");
      log.close();
    }
  }

  @Test
  void powerLossesLoseNothingThatWasAcknowledged() throws Exception {
    Random random = new Random(7);
    for (int size : new int[] {1, 3}) {
      TestCluster cluster = new TestCluster(directory.resolve("size" + size), true);
      cluster.logOptions = LogOptions.defaults().withSegmentBytes(4096, 16 << 10).withRetention(1, 10);
      cluster.checkpointBytes = 6000;
      java.nio.file.Files.createDirectories(directory.resolve("size" + size));
      try (cluster) {
        cluster.start(size);
        List<String> acknowledged = new ArrayList<>();
        for (int round = 0; round < 8; round++) {
          TestCluster.Member leader = cluster.awaitLeader();
          ToyMachine machine = leader.machine;
          List<CompletableFuture<Long>> open = new ArrayList<>();
          for (int i = 0; i < 60; i++) {
            String command = size + "-" + round + "-" + i;
            open.add(machine.await(command));
            leader.node.propose(command.getBytes(StandardCharsets.UTF_8));
          }
          open.get(random.nextInt(30)).get(30, TimeUnit.SECONDS);
          leader.crash(random);
          for (int i = 0; i < open.size(); i++) {
            if (open.get(i).isDone()) {
              acknowledged.add(size + "-" + round + "-" + i);
            }
          }
          for (TestCluster.Member other : cluster.members.values()) {
            if (other != leader && random.nextInt(4) == 0) {
              other.crash(random);
              other.start();
            }
          }
          leader.start();
        }
        TestCluster.Member leader = cluster.awaitLeader();
        List<String> read = leader.read();
        assertThat(read).containsSubsequence(acknowledged.toArray(String[]::new)).doesNotHaveDuplicates();
        assertThat(acknowledged).hasSizeGreaterThan(8);
        await("all alike", () -> cluster.members.values().stream().allMatch(m -> m.machine.published().equals(leader.machine.published())));
      }
    }
  }
}
