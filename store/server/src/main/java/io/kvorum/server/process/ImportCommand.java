package io.kvorum.server.process;

import io.kvorum.protocol.internal.MachineState;
import io.kvorum.server.cluster.BootstrapException;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.config.ServerConfig;
import io.kvorum.server.migrate.EtcdImport;
import io.kvorum.server.migrate.RefusedFileException;
import io.kvorum.server.migrate.SnapshotFile;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code kvorum import}: makes a new member's data directory from an etcd snapshot, as {@code etcdutl snapshot restore} does for etcd. Run it for each member of the new cluster, with
 * the same file.
 */
@Command(
    name = "import",
    sortOptions = false,
    description = "Makes a new member's data directory from an etcd snapshot: history, leases, users and roles. Run it for each member, with the same file.")
final class ImportCommand implements Callable<Integer> {
  @Parameters(paramLabel = "FILE", description = "what \"etcdctl snapshot save\" wrote")
  private Path file;

  @Mixin private NewMemberOptions member;

  @Option(names = "--skip-hash-check", description = "take a bare data file (member/snap/db of an etcd that was stopped cleanly), or one with a wrong digest")
  private boolean skipHashCheck;

  @Option(names = "--bump-revision", defaultValue = "0", description = "revisions to skip, so that watchers of the old cluster notice; needs --mark-compacted")
  private long bumpRevision;

  @Option(names = "--mark-compacted", description = "everything before the bump counts as compacted; needs --bump-revision")
  private boolean markCompacted;

  @Option(names = {"-h", "--help"}, usageHelp = true, description = "this text")
  private boolean help;

  private final PrintStream out;
  private final PrintStream err;

  /**
   * @param out the result
   * @param err progress
   */
  ImportCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  @Override
  public Integer call() throws IOException, DataDirectory.RefusedException, BootstrapException {
    if (bumpRevision < 0 || bumpRevision > 0 != markCompacted) {
      err.println("import: --bump-revision (above 0) and --mark-compacted need each other");
      return 2;
    }
    ServerConfig config;
    try {
      config = member.config();
    } catch (IllegalArgumentException refused) {
      err.println("import: " + refused.getMessage());
      return 1;
    }
    Genesis genesis = NewMemberOptions.genesis(config);
    MachineState.Builder state = MachineState.newBuilder();
    new Members(genesis).save(state);
    EtcdImport work = new EtcdImport(err, System::nanoTime, new EtcdImport.Options(skipHashCheck, bumpRevision));
    try (SnapshotFile source = SnapshotFile.open(file);
        StagedDirectory staged = StagedDirectory.create(config.dataDir())) {
      if (!source.hasDigest()) {
        err.println("import: warning: " + file + " has no digest; what a running or killed etcd wrote last may be missing");
      }
      EtcdImport.Result result = work.run(source, state.build(), staged.store());
      staged.finish(genesis);
      tell(result, config, genesis);
      return 0;
    } catch (RefusedFileException refused) {
      err.println("import: " + refused.getMessage() + "; nothing was imported");
      return 1;
    }
  }

  private void tell(EtcdImport.Result result, ServerConfig config, Genesis genesis) {
    out.printf("imported %s into %s: member %s of cluster %s%n", file, config.dataDir(), MemberIds.hex(genesis.memberId()), MemberIds.hex(genesis.clusterId()));
    out.printf("%d keys, %d puts and %d deletions of history, %d leases%n", result.keys(), result.puts(), result.deletions(), result.leases());
    out.printf("%d users and %d roles, authentication %s%n", result.users(), result.roles(), result.authEnabled() ? "on" : "off");
    out.printf(
        "revision %d, %s, content hash (HashKV) %d%n", result.revision(),
        result.compactRevision() < 0 ? "never compacted" : "compacted at " + result.compactRevision(), Integer.toUnsignedLong(result.hash()));
  }
}
