package io.kvorum.raft.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/**
 * Millions of events under faults. {@code -Draft.sim.seed=N} runs one seed again, {@code -Draft.sim.events=N} more events than usual,
 * {@code -Draft.sim.first=N} from another seed on.
 */
class SimulatorTest {
  private static final System.Logger LOG = System.getLogger("io.kvorum.raft.simulator");
  private static final long EVENTS_PER_SEED = 20_000;

  /** A busy machine stops here when its time is up; a free one does several times as much. */
  private static final long EVENTS_LEAST = 5_000_000;

  private static final long NANOS_ENOUGH = 45_000_000_000L;

  @Test
  void nothingThatMustHoldIsEverBroken() {
    Long only = Long.getLong("raft.sim.seed");
    long wanted = only == null ? Long.getLong("raft.sim.events", 20_000_000) : 1;
    long seed = only == null ? Long.getLong("raft.sim.first", 1) : only;
    long events = 0;
    long reads = 0;
    long longestHeal = 0;
    long[] coverage = new long[4];
    long begin = System.nanoTime();
    long enough = Long.getLong("raft.sim.events") == null ? NANOS_ENOUGH : Long.MAX_VALUE;
    for (; events < wanted && (events < EVENTS_LEAST || System.nanoTime() - begin < enough); seed++) {
      Simulation simulation = new Simulation(seed, EVENTS_PER_SEED, Rules.RAFT);
      try {
        simulation.run();
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + " after " + simulation.events() + " events (-Draft.sim.seed=" + seed + "): " + e.getMessage(), e);
      }
      events += simulation.events();
      reads += simulation.reads();
      long[] run = simulation.checker.coverage();
      Arrays.setAll(coverage, i -> coverage[i] + run[i]);
      longestHeal = Math.max(longestHeal, simulation.healTicks);
    }
    long millis = (System.nanoTime() - begin) / 1_000_000;
    String passed = coverage[0] + " leaders, " + coverage[1] + " commits, " + coverage[2] + " membership changes, " + coverage[3] + " snapshots";
    String report = events + " events, " + passed + ", " + reads + " reads in " + millis + " ms, longest recovery " + longestHeal + " ticks";
    LOG.log(System.Logger.Level.INFO, report);
    assertThat(reads).as(report).isPositive();
    assertThat(events).as(report).isGreaterThanOrEqualTo(Math.min(wanted, EVENTS_LEAST));
  }
}
