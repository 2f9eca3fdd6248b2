package io.kvorum.raft.log;

import static io.kvorum.raft.log.LogFixture.all;
import static io.kvorum.raft.log.LogFixture.entries;
import static io.kvorum.raft.log.LogFixture.texts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.raft.Entry;
import io.kvorum.raft.HardState;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;

/** A disk that fails, fills up and loses what was not forced. */
class LogFaultTest {
  private static final long SEED = Long.getLong("kvorum.seed", 1);
  private static final int TRIES = Integer.getInteger("kvorum.tries", 400);
  private static final Path DIRECTORY = Path.of("/log");

  /** Held, or its level would be forgotten: the faults here are wanted, and there are thousands. */
  private static final Logger QUIET = Logger.getLogger("io.kvorum.raft.log");

  static {
    QUIET.setLevel(Level.OFF);
  }

  private static void await(Callable<Boolean> condition) throws Exception {
    long end = System.nanoTime() + 30_000_000_000L;
    while (!condition.call()) {
      assertThat(System.nanoTime()).as("deadline").isLessThan(end);
      Thread.sleep(2);
    }
  }

  @Test
  void aFailedForceIsFinal() throws IOException {
    FaultDisk disk = new FaultDisk();
    SegmentedLog log = SegmentedLog.open(DIRECTORY, LogOptions.defaults().withDisk(disk));
    log.append(null, entries(1, 1, 3, 10));
    disk.failForces(true);
    assertThatThrownBy(log::sync).isInstanceOf(IOException.class).hasMessageContaining("Input/output error");
    disk.failForces(false);
    assertThat(log.durableIndex()).isZero();
    log.append(null, entries(1, 4, 4, 10));
    assertThatThrownBy(log::sync).as("never retried").hasMessageContaining("failed before");
    assertThatThrownBy(log::mark).hasMessageContaining("failed before");
    log.close();
  }

  @Test
  void aFullDiskIsKnownBeforeTheCurrentFileIsFull() throws Exception {
    FaultDisk disk = new FaultDisk();
    LogOptions options = LogOptions.defaults().withDisk(disk).withSegmentBytes(16 << 10, 16 << 10);
    try (SegmentedLog log = SegmentedLog.open(DIRECTORY, options)) {
      disk.room(10_000);
      log.append(null, entries(1, 1, 10, 600));
      log.sync();
      await(log::spaceLow);
      log.append(null, entries(1, 11, 18, 600));
      assertThat(log.sync()).as("the current file still has room").isEqualTo(18);
      disk.room(100_000);
      await(() -> !log.spaceLow());
      log.append(null, entries(1, 19, 60, 600));
      assertThat(log.sync()).isEqualTo(60);
    }
  }

  @Test
  void withoutAnyRoomTheWriteFails() throws Exception {
    FaultDisk disk = new FaultDisk();
    LogOptions options = LogOptions.defaults().withDisk(disk).withSegmentBytes(16 << 10, 16 << 10);
    SegmentedLog log = SegmentedLog.open(DIRECTORY, options);
    disk.room(100);
    log.append(null, entries(1, 1, 20, 600));
    log.sync();
    await(log::spaceLow);
    log.append(null, entries(1, 21, 60, 600));
    assertThatThrownBy(log::sync).hasMessageContaining("No space left");
    log.close();
    FaultDisk after = disk.crash(new Random(1));
    after.room(Long.MAX_VALUE);
    try (SegmentedLog again = SegmentedLog.open(DIRECTORY, options.withDisk(after))) {
      assertThat(again.lastIndex()).isGreaterThanOrEqualTo(20);
    }
  }

  @Test
  void aFileThatCannotBeDeletedHoldsUpTheLaterOnes() throws Exception {
    FaultDisk disk = new FaultDisk();
    AtomicInteger deletions = new AtomicInteger();
    Disk refusing =
        (Disk)
            Proxy.newProxyInstance(
                Disk.class.getClassLoader(),
                new Class<?>[] {Disk.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("delete") && arguments[0].toString().endsWith(".log") && deletions.incrementAndGet() == 1) {
                    throw new IOException("Read-only file system");
                  }
                  return method.invoke(disk, arguments);
                });
    LogOptions options = LogOptions.defaults().withDisk(refusing).withSegmentBytes(4096, 16 << 10).withRetention(1, 0);
    try (SegmentedLog log = SegmentedLog.open(DIRECTORY, options)) {
      log.append(null, entries(1, 1, 90, 600));
      log.sync();
      log.cut(90);
      await(() -> deletions.get() >= 1);
      log.append(null, entries(1, 91, 200, 600));
      log.sync();
      log.cut(200);
      await(() -> disk.list(DIRECTORY).size() <= 4);
    }
    try (SegmentedLog log = SegmentedLog.open(DIRECTORY, options)) {
      assertThat(log.lastIndex()).isEqualTo(200);
    }
  }

  /** Raised by a fail point: the power goes exactly there. */
  private static final class PowerLoss extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** Random histories with power losses at every durable boundary, against a model. */
  @Test
  void nothingForcedIsLostAndNothingElseAppears() {
    for (int i = 0; i < TRIES; i++) {
      long seed = SEED + i;
      assertThatCode(() -> new History(new Random(seed)).run()).as("seed %d", seed).doesNotThrowAnyException();
    }
  }

  private static final class History {
    private final Random random;
    private FaultDisk disk = new FaultDisk();
    private SegmentedLog log;
    private boolean powerLossArmed;

    /** What the log must hold as far as it was forced, and the steps that were handed over since. */
    private List<Entry> durable = new ArrayList<>();

    private long base;
    private HardState durableState = HardState.EMPTY;
    private final List<List<Entry>> steps = new ArrayList<>();
    private HardState state = HardState.EMPTY;
    private long term = 1;

    History(Random random) {
      this.random = random;
    }

    private LogOptions options() {
      return LogOptions.defaults()
          .withDisk(disk)
          .withSegmentBytes(4096, 8192)
          .withCacheBytes(random.nextInt(4000))
          .withRetention(1 + random.nextInt(3), random.nextInt(20))
          .withIdentities(random::nextLong)
          .withFailPoint(
              name -> {
                if (powerLossArmed && random.nextInt(3) == 0) {
                  throw new PowerLoss();
                }
              });
    }

    void run() throws Exception {
      log = SegmentedLog.open(DIRECTORY, options());
      for (int step = 0; step < 60; step++) {
        switch (random.nextInt(12)) {
          case 0, 1, 2, 3 -> append(lastHanded() + 1);
          case 4 -> append(commitFloor() + 1 + random.nextInt((int) (lastHanded() - commitFloor() + 1)));
          case 5, 6, 7 -> sync();
          case 8 -> log.mark();
          case 9 -> cut();
          case 10 -> crash();
          default -> reopenOrReset();
        }
        assertThat(log.lastIndex()).isEqualTo(lastHanded());
      }
      crash();
      log.close();
    }

    private long lastHanded() {
      return base + handed().size();
    }

    private List<Entry> handed() {
      return steps.isEmpty() ? durable : steps.getLast();
    }

    /** Committed entries are never overwritten. */
    private long commitFloor() {
      return Math.max(base, durableState.commit());
    }

    private void append(long from) {
      term += random.nextInt(2);
      List<Entry> batch = entries(term, from, from + random.nextInt(6), random.nextInt(4) == 0 ? random.nextInt(3000) : random.nextInt(200));
      long commit = Math.min(Math.max(state.commit(), commitFloor()), from - 1);
      state = new HardState(term, random.nextInt(3), Math.max(commit, commitFloor()));
      log.append(state, batch);
      List<Entry> now = new ArrayList<>(handed().subList(0, (int) (from - 1 - base)));
      steps.add(List.copyOf(now));
      for (Entry entry : batch) {
        now.add(entry);
        steps.add(List.copyOf(now));
      }
    }

    private void sync() throws Exception {
      log.sync();
      durable = new ArrayList<>(handed());
      steps.clear();
      durableState = state;
      assertThat(texts(all(log))).isEqualTo(texts(tailOf(durable)));
    }

    private List<Entry> tailOf(List<Entry> model) {
      return model.subList((int) (log.firstIndex() - 1 - base), model.size());
    }

    private void cut() throws Exception {
      sync();
      if (lastHanded() > commitFloor()) {
        long checkpoint = commitFloor() + 1 + random.nextInt((int) (lastHanded() - commitFloor()));
        state = new HardState(state.term(), state.vote(), Math.max(state.commit(), checkpoint));
        durableState = state;
        log.append(state, List.of());
        log.cut(checkpoint);
        assertThat(log.firstIndex()).isLessThanOrEqualTo(checkpoint + 1);
      }
    }

    private void reopenOrReset() throws Exception {
      sync();
      if (random.nextBoolean()) {
        log.close();
        log = SegmentedLog.open(DIRECTORY, options());
        assertThat(texts(all(log))).isEqualTo(texts(tailOf(durable)));
        assertThat(log.hardState().term()).isEqualTo(state.term());
      } else {
        base = lastHanded() + random.nextInt(100);
        log.reset(base, term);
        durable = new ArrayList<>();
        state = log.hardState();
        durableState = state;
      }
    }

    /** Loses power, perhaps within a sync, and checks what is left. */
    private void crash() throws Exception {
      powerLossArmed = random.nextBoolean();
      if (powerLossArmed) {
        try {
          log.sync();
        } catch (IOException | PowerLoss e) {
          assertThat(e.getCause() instanceof PowerLoss || e.getCause().getCause() instanceof PowerLoss).isTrue();
        }
      }
      powerLossArmed = false;
      FaultDisk after = disk.crash(random);
      try {
        log.close();
      } catch (IOException e) {
        // The machine is off.
      }
      disk = after;
      log = SegmentedLog.open(DIRECTORY, options());
      long first = log.firstIndex();
      List<List<String>> allowed = new ArrayList<>(List.of(texts(tail(durable, first))));
      for (List<Entry> step : steps) {
        allowed.add(texts(tail(step, first)));
      }
      List<String> found = texts(all(log));
      assertThat(allowed).as("what is left is a state between the last sync and what was handed over").contains(found);
      assertThat(log.hardState().term()).isBetween(durableState.term(), state.term());
      if (log.lastIndex() >= log.firstIndex()) {
        assertThat(log.hardState().term()).as("never below an entry's term").isGreaterThanOrEqualTo(log.term(log.lastIndex()));
      }
      assertThat(log.hardState().commit()).isLessThanOrEqualTo(Math.max(state.commit(), base));
      long last = log.lastIndex();
      for (List<Entry> step : steps) {
        if (texts(tail(step, first)).equals(found)) {
          durable = new ArrayList<>(step);
        }
      }
      assertThat(last).isEqualTo(base + durable.size());
      steps.clear();
      long commit = Math.max(log.hardState().commit(), base);
      state = new HardState(log.hardState().term(), log.hardState().vote(), commit);
      durableState = new HardState(state.term(), state.vote(), Math.min(Math.max(commit, durableState.commit()), last));
    }

    private List<Entry> tail(List<Entry> model, long first) {
      int from = (int) (first - 1 - base);
      return from > model.size() ? Collections.emptyList() : model.subList(from, model.size());
    }
  }
}
