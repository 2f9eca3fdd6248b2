package io.kvorum.operator.runtime.local;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.kvorum.operator.observe.Observation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * The store's builds on this machine, by version: what images are elsewhere.
 *
 * @param launchers program of each version
 */
record Builds(Map<String, Path> launchers) {
  private static final String VERSION_LINE = "Kvorum Version:";
  private static final Duration INSPECT_LIMIT = Duration.ofSeconds(30);

  Builds {
    launchers = Map.copyOf(launchers);
  }

  Optional<Path> launcher(String version) {
    return Optional.ofNullable(launchers.get(version)).filter(Files::isExecutable);
  }

  /** What `kvorum inspect` of this version finds in a data directory; takes at most {@link #INSPECT_LIMIT}. */
  Observation.DataReport inspect(String version, String member, Path data, Instant at) {
    Observation.DataReport unreadable = new Observation.DataReport(member, at, false, 0, 0, 0);
    Path launcher = launcher(version).orElse(null);
    if (launcher == null) {
      return unreadable;
    }
    try {
      Process process = new ProcessBuilder(launcher.toString(), "inspect", data.toString(), "--json").redirectError(ProcessBuilder.Redirect.DISCARD).start();
      if (!process.waitFor(INSPECT_LIMIT.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return unreadable;
      }
      JsonNode found = new ObjectMapper().readTree(process.getInputStream());
      return process.exitValue() == 0
          ? new Observation.DataReport(member, at, true, found.path("last_term").asLong(), found.path("last_index").asLong(), found.path("revision").asLong())
          : unreadable;
    } catch (IOException e) {
      return unreadable;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return unreadable;
    }
  }

  /**
   * Asks programs for their versions.
   *
   * @param programs launchers; the first of a version counts
   * @throws IOException when one does not tell
   */
  static Builds of(List<Path> programs) throws IOException, InterruptedException {
    Map<String, Path> launchers = new TreeMap<>();
    for (Path program : programs) {
      Process process = new ProcessBuilder(program.toString(), "--version").redirectError(ProcessBuilder.Redirect.DISCARD).start();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      process.waitFor();
      String version =
          text.lines().filter(line -> line.startsWith(VERSION_LINE)).map(line -> line.substring(VERSION_LINE.length()).strip()).findFirst()
              .orElseThrow(() -> new IOException(program + " does not tell its version"));
      launchers.putIfAbsent(version, program);
    }
    return new Builds(launchers);
  }
}
