package io.kvorum.server.backup;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.raft.log.LogHolds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChainMarksTest {
  @TempDir Path temp;

  private long now = 1_000_000;

  private ChainMarks marks() {
    return new ChainMarks(temp.resolve("chains"), new LogHolds(), () -> now, Runnable::run);
  }

  private void assertKept(String... lines) throws IOException {
    assertThat(Files.readAllLines(temp.resolve("chains"))).containsExactly(lines);
  }

  @Test
  void of_five_chains_the_one_that_was_heard_of_longest_ago_goes() throws IOException {
    ChainMarks marks = marks();
    for (int i = 1; i <= 4; i++) {
      now += 10;
      marks.set("chain-" + i, i * 100);
    }
    now += 10;
    marks.set("chain-1", 110);
    now += 10;
    marks.set("chain-5", 500);
    assertKept("chain-5 500 1000060", "chain-1 110 1000050", "chain-4 400 1000040", "chain-3 300 1000030");
  }

  @Test
  void what_is_noted_outlives_a_restart_until_nothing_was_heard_for_long() throws IOException {
    marks().set("old", 1);
    now += ChainMarks.SILENCE_MILLIS;
    marks().set("young", 2);
    assertKept("young 2 " + now, "old 1 1000000");
    now += 1;
    marks().set("new", 3);
    assertKept("new 3 " + now, "young 2 " + (now - 1));
  }

  @Test
  void a_damaged_file_counts_as_empty_and_strange_names_do_not_count() throws IOException {
    Files.writeString(temp.resolve("chains"), "half a li");
    ChainMarks marks = marks();
    marks.set("two words", 4);
    marks.set("good", 5);
    assertKept("good 5 1000000");
  }

  @Test
  void a_place_has_one_name() {
    assertThat(ChainMarks.nameOf("s3://b/p")).isEqualTo(ChainMarks.nameOf("s3://b/p")).isNotEqualTo(ChainMarks.nameOf("s3://b/q"));
    assertThat(ChainMarks.isName(ChainMarks.nameOf("s3://b/p"))).isTrue();
  }
}
