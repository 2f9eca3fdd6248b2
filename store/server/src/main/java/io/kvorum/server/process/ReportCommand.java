package io.kvorum.server.process;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code kvorum dump-log} and {@code kvorum inspect}: look into the data directory of a member that does not run. */
@Command(sortOptions = false)
final class ReportCommand implements Callable<Integer> {
  @Parameters(paramLabel = "DATADIR", description = "the member's data directory")
  private Path dataDirectory;

  @Option(names = "--wal-dir", paramLabel = "DIR", description = "where the log is, if it was moved since the member ran")
  private Path walDirectory;

  @Option(names = "--json", description = "one JSON object, which inspect prints anyway")
  private boolean json;

  private final boolean inspect;
  private final PrintStream out;

  ReportCommand(boolean inspect, PrintStream out) {
    this.inspect = inspect;
    this.out = out;
  }

  @Override
  public Integer call() throws Exception {
    DataReport report = new DataReport(dataDirectory, walDirectory, out);
    return inspect ? report.inspect() : report.dump();
  }
}
