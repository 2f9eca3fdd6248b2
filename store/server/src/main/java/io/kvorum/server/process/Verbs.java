package io.kvorum.server.process;

import java.io.PrintStream;
import java.util.List;

/** What the program does besides serving: the first argument is then a word, not a flag. */
final class Verbs {
  private final String name;

  Verbs(String name) {
    this.name = name;
  }

  static boolean isVerb(List<String> arguments) {
    return !arguments.isEmpty() && !arguments.getFirst().startsWith("-") && !arguments.getFirst().isEmpty();
  }

  /** Returns the exit code. */
  @SuppressWarnings("SystemOut")
  int run(List<String> arguments) {
    PrintStream err = System.err;
    String verb = arguments.getFirst();
    err.println(
        switch (verb) {
          case "gateway", "grpc-proxy", "backup", "restore", "verify", "import", "export", "mirror", "agent" -> name + " " + verb + ": not supported yet";
          default -> name + ": " + '"' + verb + "\" is neither a flag nor a verb; see " + name + " --help";
        });
    return 1;
  }
}
