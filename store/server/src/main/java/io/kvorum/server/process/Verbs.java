package io.kvorum.server.process;

import io.kvorum.server.mirror.MirrorCommand;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;

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
  int run(List<String> arguments) throws IOException {
    PrintStream err = System.err;
    String verb = arguments.getFirst();
    switch (verb) {
      case "dump-log", "inspect" -> {
        return command(new ReportCommand(verb.equals("inspect"), System.out), arguments);
      }
      case "import" -> {
        return command(new ImportCommand(System.out, err), arguments);
      }
      case "export" -> {
        return command(new ExportCommand(System.out, err), arguments);
      }
      case "mirror" -> {
        return command(new MirrorCommand(System.out, err), arguments);
      }
      case "gateway", "grpc-proxy", "backup", "restore", "verify", "agent" ->
          err.println(name + " " + verb + ": not supported yet");
      default -> err.println(name + ": " + '"' + verb + "\" is neither a flag nor a verb; see " + name + " --help");
    }
    return 1;
  }

  /** Runs a command; what it cannot do is one line, not a stack trace. */
  @SuppressWarnings("SystemOut")
  private int command(Callable<Integer> command, List<String> arguments) {
    CommandLine line = new CommandLine(command);
    line.getCommandSpec().name(name + " " + arguments.getFirst());
    line.setExecutionExceptionHandler(
        (failure, ignored, parsed) -> {
          System.err.println(name + " " + arguments.getFirst() + ": " + failure.getMessage());
          return 1;
        });
    return line.execute(arguments.subList(1, arguments.size()).toArray(String[]::new));
  }
}
