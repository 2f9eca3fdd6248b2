package io.kvorum.operator.runtime.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.engine.ClusterEngine;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code kvorum up} without a store: the cluster is asleep, so that no member is ever started. */
class UpTest {
  @TempDir Path folder;

  private final ByteArrayOutputStream told = new ByteArrayOutputStream();

  private void write(Path file, long quota) throws IOException {
    Files.writeString(
        file,
        """
        metadata: {name: asleep}
        spec:
          version: 1.0.0
          hibernated: true
          quotaBytes: %d
          storage: {size: 1Gi}
          tls: {client: {mode: Disabled}, peer: {mode: Disabled}}
        """
            .formatted(quota));
  }

  private static void await(String what, Callable<Boolean> condition) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.call()) {
      assertThat(System.nanoTime()).as(what + " in time").isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  private boolean wrote(Path data, String text) throws IOException {
    Path file = data.resolve("cluster/asleep.yaml");
    return Files.exists(file) && Files.readString(file).contains(text);
  }

  private boolean hasTold(String text) {
    return told.toString(StandardCharsets.UTF_8).contains(text);
  }

  @Test
  void aPassThatCannotWriteIsToldAndTriedAgainUntilItCan() throws Exception {
    Path file = folder.resolve("cluster.yaml");
    Path data = folder.resolve("data");
    Path launcher = Files.createFile(folder.resolve("launcher"));
    assertThat(launcher.toFile().setExecutable(true)).isTrue();
    write(file, 100_000_000);
    Up up =
        new Up(
            new UpOptions(Optional.of(file), 3, data, 5_000), new Builds(Map.of("1.0.0", launcher)), new PrintStream(told, true, StandardCharsets.UTF_8),
            ClusterEngine.Progress.NONE);
    try (ExecutorService threads = Executors.newSingleThreadExecutor()) {
      Future<Integer> running = threads.submit(up::run);
      try {
        await("asleep", () -> wrote(data, "Hibernated") && wrote(data, "100000000"));
        Files.move(data.resolve("cluster"), data.resolve("away"));
        write(file, 200_000_000);
        await("the failure is told", () -> hasTold("tried in vain"));
        assertThat(running.isDone()).isFalse();
        Files.move(data.resolve("away"), data.resolve("cluster"));
        await("the edit is taken over", () -> wrote(data, "200000000"));
      } finally {
        up.stop();
      }
      assertThat(running.get(30, TimeUnit.SECONDS)).isZero();
    }
  }

  @Test
  void pausesGrowToHalfAMinuteAndStartAnew() {
    Retries retries = new Retries();
    assertThat(retries.pause()).isEqualTo(Duration.ofSeconds(1));
    assertThat(retries.pause()).isEqualTo(Duration.ofMillis(1500));
    for (int i = 0; i < 20; i++) {
      retries.pause();
    }
    assertThat(retries.pause()).isEqualTo(Duration.ofSeconds(30));
    retries.reset();
    assertThat(retries.pause()).isEqualTo(Duration.ofSeconds(1));
  }
}
