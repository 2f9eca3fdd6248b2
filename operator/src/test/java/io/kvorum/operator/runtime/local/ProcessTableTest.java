package io.kvorum.operator.runtime.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.kvorum.operator.plan.Action;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With real processes and a clock that is set. */
class ProcessTableTest {
  @TempDir Path folder;

  private final Processes system = new Processes();
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private List<String> program = List.of("/bin/sh", "-c", "exec sleep 300");
  private ProcessTable table;

  @BeforeEach
  void open() throws IOException {
    table = newTable();
  }

  private ProcessTable newTable() throws IOException {
    InstantSource clock = () -> now;
    return new ProcessTable(folder.resolve("processes.json"), system, record -> system.start(program, Map.of(), folder.resolve("log")), clock);
  }

  @AfterEach
  void killAll() {
    table.kill();
  }

  private static ProcessRecord record() {
    return new ProcessRecord("a-0", "uid-1", 0, 0, 0, "hash", "1.0.0", 0, 0, 0, true, Action.StartMode.NEW, "token", List.of("a-0=http://x:1"));
  }

  private ProcessRecord only() {
    return table.get("a-0").orElseThrow();
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("in time").isLessThan(deadline);
      Thread.sleep(5);
    }
  }

  @Test
  void a_later_run_finds_the_process_that_an_earlier_one_started() throws Exception {
    table.add(record());
    table.tend();
    assertThat(table.isAlive(only())).isTrue();

    ProcessTable later = newTable();
    later.tend();

    assertThat(later.get("a-0")).contains(only());
    assertThat(later.isAlive(only())).isTrue();
  }

  @Test
  void a_process_that_ends_is_started_again_after_a_wait_that_grows() throws Exception {
    table.add(record());
    table.tend();
    table.kill();
    await(() -> !table.isAlive(only()));
    table.tend();
    assertThat(only().restarts()).isEqualTo(1);
    table.tend();
    assertThat(only().pid()).as("not before its wait is over").isZero();
    now = now.plusSeconds(1);
    table.tend();
    assertThat(table.isAlive(only())).isTrue();
  }

  @Test
  void a_table_that_cannot_be_written_stays_as_it_was_until_it_can() throws Exception {
    Path away = folder.resolveSibling(folder.getFileName() + "-away");
    Files.move(folder, away);
    assertThatThrownBy(() -> table.add(record())).isInstanceOf(IOException.class);
    assertThat(table.all()).isEmpty();
    Files.move(away, folder);
    table.add(record());
    assertThat(newTable().get("a-0")).isPresent();
  }

  @Test
  void deleting_asks_the_process_to_end_and_forgets_it_when_it_has() throws Exception {
    table.add(record());
    table.tend();
    table.terminate("a-0", "of another");
    assertThat(only().terminatingMillis()).isZero();
    table.terminate("a-0", "uid-1");
    await(() -> !table.isAlive(only()));
    table.tend();
    assertThat(table.all()).isEmpty();
  }

  @Test
  void a_process_that_does_not_listen_is_killed_after_the_grace() throws Exception {
    program = List.of("/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done");
    table.add(record());
    table.tend();
    await(() -> folder.resolve("log").toFile().length() > 0);
    table.terminate("a-0", "uid-1");
    table.tend();
    assertThat(table.isAlive(only())).isTrue();
    now = now.plus(ProcessTable.GRACE).plusSeconds(1);
    table.tend();
    await(() -> !table.isAlive(only()));
    table.tend();
    assertThat(table.all()).isEmpty();
  }
}
