package io.kvorum.server.process.training;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Makes the ahead-of-time cache of a laid out distribution, as a step of the build: starts its server with recording switched on, puts load on it through its
 * port, and stops it; the JVM then writes {@code lib/kvorum.aot}. Classes come loaded and linked out of the cache, and the recorded profiles of the load let
 * the compiler begin with what matters.
 *
 * <p>Argument: the directory with {@code bin} and {@code lib}.
 */
public final class TrainingRun {
  private static final long EXIT_SECONDS = 60;

  private TrainingRun() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    Path dist = Path.of(args[0]).toAbsolutePath();
    Path cache = dist.resolve("lib").resolve("kvorum.aot");
    Path data = Files.createTempDirectory("kvorum-training");
    try {
      Process server = start(dist, cache, List.of("--version"));
      if (!server.waitFor(EXIT_SECONDS, TimeUnit.SECONDS)) {
        server.destroyForcibly();
        throw new IllegalStateException("the server of the training run did not end");
      }
      if (!Files.exists(cache)) {
        throw new IllegalStateException("no " + cache + " was written, exit code " + server.exitValue());
      }
    } finally {
      delete(data);
    }
  }

  private static Process start(Path dist, Path cache, List<String> arguments) throws IOException {
    List<String> command = new java.util.ArrayList<>();
    command.add(dist.resolve("bin").resolve("kvorum").toString());
    command.addAll(arguments);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
    builder.environment().put("KVORUM_JVM_OPTIONS", "-XX:AOTCacheOutput=" + cache);
    return builder.start();
  }

  private static void delete(Path directory) throws IOException {
    try (var files = Files.walk(directory)) {
      files.sorted(java.util.Comparator.reverseOrder()).forEach(TrainingRun::deleteOne);
    }
  }

  private static void deleteOne(Path file) {
    try {
      Files.delete(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
