package io.kvorum.raft.node;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.raft.FailPoint;
import io.kvorum.raft.Membership;
import io.kvorum.raft.Message;
import io.kvorum.raft.SnapshotMeta;
import io.kvorum.raft.core.RaftConfig;
import io.kvorum.raft.log.Disk;
import io.kvorum.raft.log.FaultDisk;
import io.kvorum.raft.log.FileDisk;
import io.kvorum.raft.log.LogOptions;
import io.kvorum.raft.log.SegmentedLog;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Members in one process, joined by a network in memory. */
final class TestCluster implements AutoCloseable {
  static final int TICK_MILLIS = 20;
  static final int ELECTION_TICKS = 30;
  private static final long DEADLINE_SECONDS = 30;

  /** Held, or its level would be forgotten: the faults are wanted. */
  private static final Logger QUIET = Logger.getLogger("io.kvorum.raft");

  static {
    QUIET.setLevel(Level.OFF);
  }

  /** One member over its restarts. */
  final class Member {
    final long id;
    final ToyMachine.Store store;
    final AtomicLong clockSkewNanos = new AtomicLong();
    volatile Disk disk;
    volatile RaftDriver node;
    volatile ToyMachine machine;
    volatile SegmentedLog log;
    volatile FailPoint failPoint = FailPoint.NONE;
    private int starts;

    Member(long id, Membership start) {
      this.id = id;
      this.store = new ToyMachine.Store(new SnapshotMeta(0, 0, start));
      this.disk = faulty ? new FaultDisk() : new FileDisk();
    }

    void start() {
      try {
        log = SegmentedLog.open(directory.resolve("log-" + id), logOptions.withDisk(disk));
        machine = new ToyMachine(store, checkpointBytes);
        Random jitter = new Random(id * 31 + starts++);
        TimeSource time =
            new TimeSource() {
              @Override
              public long nanoTime() {
                return System.nanoTime() + clockSkewNanos.get();
              }

              @Override
              public long wallMillis() {
                return 1_700_000_000_000L;
              }
            };
        RaftConfig config = new RaftConfig(id, ELECTION_TICKS, 1, 1 << 20, 16 << 20, 512, 256 << 20, 16 << 20);
        node = RaftDriver.open(config, driverOptions, log, store.durable.meta(), machine, messages -> carry(this, messages), time, jitter::nextInt, failPoint);
        node.start();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    void stop() {
      RaftDriver stopping = node;
      node = null;
      stopping.close();
      members.values().stream().filter(m -> m.node != null).forEach(m -> m.node.peerClosed(id));
    }

    /** Power loss: only what was forced is left. */
    void crash(Random random) {
      RaftDriver crashed = node;
      node = null;
      disk = ((FaultDisk) disk).crash(random);
      machine.crash();
      crashed.fail(new IOException("crashed"));
      crashed.close();
    }

    boolean isLeader() {
      return node != null && node.status().isLeader();
    }

    long propose(String command) throws Exception {
      CompletableFuture<Long> done = machine.await(command);
      assertThat(node.propose(command.getBytes(StandardCharsets.UTF_8))).isEqualTo(RaftNode.ProposeResult.ACCEPTED);
      return done.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    }

    /** Waits for a linearizable read; the published state, or what failed. */
    List<String> read() throws Exception {
      CompletableFuture<List<String>> done = new CompletableFuture<>();
      node.readIndex(callback(done));
      return done.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
    }

    ReadCallback callback(CompletableFuture<List<String>> done) {
      return new ReadCallback() {
        @Override
        public void ready() {
          done.complete(machine.published());
        }

        @Override
        public void failed(Failure reason) {
          done.completeExceptionally(new IllegalStateException(reason.name()));
        }
      };
    }
  }

  final Map<Long, Member> members = new TreeMap<>();
  private final Set<Long> isolated = ConcurrentHashMap.newKeySet();
  private final Path directory;
  private final boolean faulty;
  LogOptions logOptions = LogOptions.defaults().withSegmentBytes(16 << 10, 64 << 10);
  DriverOptions driverOptions =
      DriverOptions.of(TICK_MILLIS, (long) TICK_MILLIS * ELECTION_TICKS).withInitialTicks(ELECTION_TICKS - 1).withTimes(7000, 200);
  long checkpointBytes = Long.MAX_VALUE;

  TestCluster(Path directory, boolean faulty) {
    this.directory = directory;
    this.faulty = faulty;
  }

  static Membership voters(long... ids) {
    TreeSet<Long> set = new TreeSet<>();
    for (long id : ids) {
      set.add(id);
    }
    return new Membership(set, new TreeSet<>());
  }

  TestCluster start(int count) {
    long[] ids = new long[count];
    for (int i = 0; i < count; i++) {
      ids[i] = i + 1;
    }
    for (long id : ids) {
      add(id, voters(ids)).start();
    }
    return this;
  }

  Member add(long id, Membership start) {
    Member member = new Member(id, start);
    members.put(id, member);
    return member;
  }

  Member member(long id) {
    return members.get(id);
  }

  void isolate(long id) {
    isolated.add(id);
  }

  void heal() {
    isolated.clear();
  }

  private void carry(Member from, List<Message> messages) {
    for (Message message : messages) {
      Member to = members.get(message.to());
      RaftDriver target = to == null ? null : to.node;
      if (target == null || isolated.contains(from.id) || isolated.contains(message.to())) {
        RaftDriver sender = from.node;
        if (sender != null) {
          sender.reportUnreachable(message.to());
          if (message.type() == Message.Type.SNAPSHOT) {
            sender.reportSnapshot(message.to(), false);
          }
        }
      } else if (message.type() == Message.Type.SNAPSHOT) {
        Thread.ofVirtual().start(() -> carrySnapshot(from, target, message));
      } else {
        target.receive(message);
      }
    }
  }

  private void carrySnapshot(Member from, RaftDriver target, Message message) {
    try {
      ToyMachine.Durable durable = from.store.durable;
      Path files = Files.createTempDirectory(directory, "snapshot");
      Files.write(files.resolve("commands"), durable.commands());
      Message announced =
          new Message(
              message.type(), message.from(), message.to(), message.term(), message.logTerm(), message.index(), message.commit(), false, 0,
              message.context(), List.of(), durable.meta());
      target
          .receiveSnapshot(announced, files)
          .thenAccept(
              installed -> {
                RaftDriver sender = from.node;
                if (sender != null) {
                  sender.reportSnapshot(message.to(), installed);
                }
              });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waiting for: " + what).isLessThan(end);
      Thread.sleep(5);
    }
  }

  /** A leader that all running members but isolated ones follow. */
  Member awaitLeader() throws InterruptedException {
    Member[] found = new Member[1];
    await(
        "a leader",
        () -> {
          List<Member> running = members.values().stream().filter(m -> m.node != null && !isolated.contains(m.id)).toList();
          found[0] = running.stream().filter(Member::isLeader).findFirst().orElse(null);
          return found[0] != null && running.stream().allMatch(m -> m.node.status().leader() == found[0].id && m.node.status().term() == found[0].node.status().term());
        });
    return found[0];
  }

  /** A running follower. */
  Member follower() throws InterruptedException {
    long leader = awaitLeader().id;
    return members.values().stream().filter(m -> m.node != null && m.id != leader && !isolated.contains(m.id)).findFirst().orElseThrow();
  }

  /** Until all running members have published the same. */
  List<String> awaitSame() throws InterruptedException {
    await(
        "the same state everywhere",
        () -> members.values().stream().filter(m -> m.node != null).map(m -> m.machine.published()).distinct().count() == 1
            && members.values().stream().filter(m -> m.node != null).map(m -> m.node.status().applied()).distinct().count() == 1);
    return members.values().stream().filter(m -> m.node != null).findFirst().orElseThrow().machine.published();
  }

  static String reason(ExecutionException failed) {
    return failed.getCause().getMessage();
  }

  @Override
  public void close() {
    members.values().stream().filter(m -> m.node != null).forEach(m -> m.node.close());
  }
}
