package io.kvorum.server.process;

import io.kvorum.protocol.internal.MachineState;
import io.kvorum.server.cluster.Bootstrap;
import io.kvorum.server.cluster.BootstrapException;
import io.kvorum.server.cluster.ClusterFlags;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.cluster.Members;
import io.kvorum.server.cluster.PeerUrls;
import io.kvorum.server.config.ConfigParser;
import io.kvorum.server.config.FlagTable;
import io.kvorum.server.config.Parsed;
import io.kvorum.server.config.ServerConfig;
import io.kvorum.server.migrate.EtcdImport;
import io.kvorum.server.migrate.RefusedFileException;
import io.kvorum.server.migrate.SnapshotFile;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
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

  @Option(names = "--name", defaultValue = "default", description = "this member's name (default: ${DEFAULT-VALUE})")
  private String name;

  @Option(names = "--data-dir", description = "made anew (default: NAME.etcd)")
  private String dataDir;

  @Option(names = "--initial-cluster", description = "all members of the new cluster: NAME=PEERURL,... (default: this one alone)")
  private String initialCluster;

  @Option(names = "--initial-cluster-token", description = "tells this cluster from others with the same URLs (default: etcd-cluster)")
  private String token;

  @Option(names = "--initial-advertise-peer-urls", description = "this member's peer URLs (default: http://localhost:2380)")
  private String peerUrls;

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
    ServerConfig config = config();
    if (config == null) {
      return 1;
    }
    Genesis genesis = genesis(config);
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

  /** The server's own reading and checking of these flags; null when it refused them. */
  private ServerConfig config() {
    List<String> flags = new ArrayList<>();
    flags.add("--name=" + name);
    add(flags, "--data-dir", dataDir);
    add(flags, "--initial-cluster", initialCluster);
    add(flags, "--initial-cluster-token", token);
    add(flags, "--initial-advertise-peer-urls", peerUrls);
    return switch (new ConfigParser(FlagTable.etcd36(), Files::readString).parse(flags, Map.of())) {
      case Parsed.Serve serve -> serve.config();
      case Parsed.Refused refused -> {
        err.println("import: " + refused.reason());
        yield null;
      }
      case Parsed.Print print -> {
        err.print(print.err());
        yield null;
      }
    };
  }

  private static void add(List<String> flags, String flag, String value) {
    if (value != null) {
      flags.add(flag + "=" + value);
    }
  }

  private static Genesis genesis(ServerConfig config) throws BootstrapException {
    ServerConfig.Cluster cluster = config.cluster();
    ClusterFlags flags = new ClusterFlags(config.name(), cluster.advertisePeerUrls(), cluster.initial(), cluster.token(), false);
    return new Bootstrap(flags, (urls, millis) -> Optional.empty(), PeerUrls.Resolver.SYSTEM).run();
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
