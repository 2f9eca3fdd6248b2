package io.kvorum.operator.runtime.local;

import io.kvorum.operator.engine.HaltingProgress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The program behind {@code kvorum up}.
 *
 * <p>System property {@code kvorum.store}: launcher of the store that is built here. Environment KVORUM_BUILDS: launchers of more versions, separated by
 * colons, so that a version can be rolled.
 */
public final class UpMain {
  private UpMain() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    System.exit(run(Arrays.asList(arguments)));
  }

  private static int run(List<String> arguments) throws IOException, InterruptedException {
    if (arguments.contains("--help") || arguments.contains("-h")) {
      System.out.print(UpOptions.USAGE);
      return 0;
    }
    UpOptions options;
    try {
      options = UpOptions.parse(arguments);
    } catch (IllegalArgumentException e) {
      System.err.println("kvorum up: " + e.getMessage());
      System.err.print(UpOptions.USAGE);
      return 2;
    }
    List<Path> programs = new ArrayList<>();
    programs.add(Path.of(System.getProperty("kvorum.store")).toAbsolutePath());
    String more = System.getenv("KVORUM_BUILDS");
    if (more != null && !more.isEmpty()) {
      Arrays.stream(more.split(":")).map(Path::of).forEach(programs::add);
    }
    return new Up(options, Builds.of(programs), System.out, HaltingProgress.of(System.getenv(HaltingProgress.VARIABLE))).run();
  }
}
