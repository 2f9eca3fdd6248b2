package io.kvorum.server.process;

import io.kvorum.server.agent.AgentCommand;
import io.kvorum.server.agent.registration.Deregister;
import io.kvorum.server.backup.BackupCommand;
import io.kvorum.server.backup.BackupDeleteCommand;
import io.kvorum.server.backup.BackupListCommand;
import io.kvorum.server.backup.VerifyCommand;
import io.kvorum.server.mirror.MirrorCommand;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
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
      case "backup" -> {
        return backup(arguments);
      }
      case "restore" -> {
        return command(new RestoreCommand(System.out, err, System.getenv()), arguments);
      }
      case "verify" -> {
        return command(new VerifyCommand(System.out, err, System.getenv()), arguments);
      }
      case "agent" -> {
        return agent(arguments);
      }
      case "gateway", "grpc-proxy" ->
          err.println(name + " " + verb + ": not supported yet");
      default -> err.println(name + ": " + '"' + verb + "\" is neither a flag nor a verb; see " + name + " --help");
    }
    return 1;
  }

  /** Serves until a signal, by which the process then ends as a server does; or asks one that serves. */
  @SuppressWarnings("SystemOut")
  private int agent(List<String> arguments) {
    if (arguments.size() > 1 && arguments.get(1).equals("deregister")) {
      return Deregister.run(arguments.subList(2, arguments.size()), System.getenv(), System.out, System.err);
    }
    CompletableFuture<Signals.Stop> signal = new CompletableFuture<>();
    Signals.watch(signal::complete);
    int code = run(AgentCommand.line(System.getenv(), signal.thenApply(stop -> stop.text)), arguments, 1);
    if (code == 0 && signal.isDone()) {
      Signals.die(signal.join());
    }
    return code;
  }

  @SuppressWarnings("SystemOut")
  private int backup(List<String> arguments) {
    HaltingFailPoint failPoint = HaltingFailPoint.of(System.getenv(HaltingFailPoint.VARIABLE));
    return switch (arguments.size() > 1 ? arguments.get(1) : "") {
      case "list" -> run(new CommandLine(new BackupListCommand(System.out, System.err, System.getenv())), arguments, 2);
      case "delete" -> run(new CommandLine(new BackupDeleteCommand(System.out, System.err, System.getenv(), failPoint)), arguments, 2);
      default -> run(new CommandLine(new BackupCommand(System.out, System.err, System.getenv(), failPoint)), arguments, 1);
    };
  }

  /** Runs a command; what it cannot do is one line, not a stack trace. */
  private int command(Callable<Integer> command, List<String> arguments) {
    return run(new CommandLine(command), arguments, 1);
  }

  @SuppressWarnings("SystemOut")
  private int run(CommandLine line, List<String> arguments, int words) {
    String called = name + " " + String.join(" ", arguments.subList(0, words));
    line.getCommandSpec().name(called);
    line.setExecutionExceptionHandler(
        (failure, ignored, parsed) -> {
          System.err.println(called + ": " + failure.getMessage());
          return 1;
        });
    return line.execute(arguments.subList(words, arguments.size()).toArray(String[]::new));
  }
}
