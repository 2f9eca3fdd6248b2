package io.kvorum.operator.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import org.junit.jupiter.api.Test;

/**
 * Random lives of a cluster. The model fails at once when two changes are under way, when we take healthy voters below quorum, when the leader is removed or
 * restarted, when an ordinal is used again, or when a member starts on a volume that is not its own; and in the end everything must be as specified.
 */
class RandomHistoriesTest {
  private static final int HISTORIES = Integer.getInteger("kvorum.histories", 40);
  private static final long FIRST = Long.getLong("kvorum.seed", 1);

  @Test
  void noHistoryBreaksARuleAndAllEndAsSpecified() {
    int transfers = 0;
    for (long seed = FIRST; seed < FIRST + HISTORIES; seed++) {
      History history = new History(seed);
      try {
        history.live(250);
        if (!history.settle(2500)) {
          fail("does not settle");
        }
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + ": " + e.getMessage() + "\n" + history.tail(Integer.getInteger("kvorum.tail", 60)), e);
      }
      transfers += history.world.store.transfers;
    }
    assertThat(transfers).as("the histories are eventful").isGreaterThan(HISTORIES);
  }
}
