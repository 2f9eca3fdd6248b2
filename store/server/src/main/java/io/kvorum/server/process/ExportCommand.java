package io.kvorum.server.process;

import io.kvorum.bbolt.BoltWriter;
import io.kvorum.server.migrate.FrozenState;
import io.kvorum.server.migrate.Progress;
import io.kvorum.server.migrate.SnapshotWriter;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code kvorum export}: an etcd snapshot from the data directory of a member that does not run; of one that runs, {@code etcdctl snapshot save} takes it. */
@Command(
    name = "export",
    sortOptions = false,
    description = "Writes an etcd snapshot from the data of a stopped member, for etcdutl snapshot restore or kvorum import.")
final class ExportCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "DATADIR", description = "the member's data directory")
  private Path dataDir;

  @Parameters(index = "1", paramLabel = "FILE", description = "where to write; readable by its owner alone")
  private Path file;

  @Option(names = "--wal-dir", description = "where the member keeps its log, when it was started with this flag")
  private Path walDir;

  @Option(names = {"-h", "--help"}, usageHelp = true, description = "this text")
  private boolean help;

  private final PrintStream out;
  private final PrintStream err;

  /**
   * @param out the result
   * @param err progress
   */
  ExportCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public Integer call() throws IOException, DataDirectory.RefusedException {
    try (OfflineMember member = OfflineMember.open(dataDir, walDir);
        FrozenState state = member.freeze()) {
      if (member.uncertain() > 0) {
        err.println("export: warning: " + member.uncertain() + " entries at the end of the log are left out: this member does not know whether they were committed");
      }
      BoltWriter writer = SnapshotWriter.of(state);
      BoltWriter.Layout layout = writer.plan();
      Progress progress = new Progress(err, "exporting", layout.bytes(), System::nanoTime);
      SnapshotWriter.write(writer, layout, file, progress);
      progress.end();
      out.printf(
          "exported revision %d, log index %d, content hash (HashKV) %d into %s%n", state.view().revision(), state.index(),
          Integer.toUnsignedLong(state.view().hash(0).hash()), file);
      return 0;
    }
  }
}
