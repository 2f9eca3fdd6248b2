package io.kvorum.server.backup;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** What the commands over a repository of backups have in common: where it is, and how what came of them is told. */
public abstract class RepositoryCommand implements Callable<Integer> {
  @Mixin protected DestinationOptions destination;

  @Mixin protected ResultOptions result;

  /** What came of it, for people. */
  protected final PrintStream out;

  /** Progress, and why it failed. */
  protected final PrintStream err;

  /** Where credentials come from. */
  protected final Map<String, String> environment;

  @Option(names = {"-h", "--help"}, usageHelp = true, description = "this text")
  private boolean help;

  private final String name;

  /** @param name in the result, as it is called */
  protected RepositoryCommand(String name, PrintStream out, PrintStream err, Map<String, String> environment) {
    this.name = name;
    this.out = out;
    this.err = err;
    this.environment = environment;
  }

  /** @return the exit code, see {@link ResultOptions} */
  @Override
  public final Integer call() {
    return result.run(name, out, err, this::run);
  }

  /** As {@link ResultOptions.Work#run}. */
  protected abstract JsonObject run() throws IOException;

  /** A line for people, who get none beside a JSON object. */
  protected final void tell(String format, Object... arguments) {
    if (result.forPeople()) {
      out.printf(format + "%n", arguments);
    }
  }
}
