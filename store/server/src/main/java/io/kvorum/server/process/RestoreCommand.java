package io.kvorum.server.process;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.kvorum.mvcc.FailPoint;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.server.auth.RootPassword;
import io.kvorum.server.backup.RepositoryCommand;
import io.kvorum.server.backup.Restoring;
import io.kvorum.server.backup.Selection;
import io.kvorum.server.backup.repository.Repository;
import io.kvorum.server.cluster.BootstrapException;
import io.kvorum.server.cluster.Genesis;
import io.kvorum.server.cluster.MemberIds;
import io.kvorum.server.config.ServerConfig;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * {@code kvorum restore}: makes a new member's data directory from backups, with a new identity. Run it for each member with the same arguments but its own name, or once, and let the others
 * join. Run again where it has been carried out with the same arguments already, it does nothing.
 */
@Command(
    name = "restore",
    sortOptions = false,
    description = {
      "Makes a new member's data directory from backups: as of a backup, a revision or a time. Run it for each member of the new cluster with the same arguments",
      "but --name and --initial-advertise-peer-urls, or for one, and let the others join."
    })
final class RestoreCommand extends RepositoryCommand {
  private static final String NOTE = "restored";

  @Option(names = "--id", description = "a backup, with those before it that it needs")
  private String id;

  @Option(names = "--latest", description = "the newest backup; with --revision or --time the newest chain that reaches it")
  private boolean latest;

  @Option(names = "--revision", defaultValue = "0", description = "the state in which this revision was made")
  private long revision;

  @Option(names = "--time", description = "what was committed up to this time by the leader's clock (RFC 3339)")
  private String time;

  @Option(
      names = "--revision-bump", defaultValue = "1000000000",
      description = "revisions to skip, so that no client takes a new revision for one that it has seen (default: ${DEFAULT-VALUE})")
  private long bump;

  @Option(
      names = "--mark-compacted", defaultValue = "true", arity = "0..1", fallbackValue = "true",
      description = "everything before counts as compacted, so that watchers of the old cluster notice (default: ${DEFAULT-VALUE})")
  private boolean markCompacted;

  @Mixin private NewMemberOptions member;

  @Option(names = "--root-password-file", description = "holds a new password of the user root, where the backup has one (default: its password stays)")
  private Path rootPasswordFile;

  @Option(names = "--wal-dir", description = "where the member will keep its log; must be empty")
  private Path walDir;

  /** @param environment where credentials come from */
  RestoreCommand(PrintStream out, PrintStream err, Map<String, String> environment) {
    super("restore", out, err, environment);
  }

  @Override
  protected JsonObject run() throws IOException {
    if (bump < 0) {
      throw new IllegalArgumentException("--revision-bump is negative");
    }
    ServerConfig config = member.config();
    try {
      Genesis genesis = NewMemberOptions.genesis(config);
      JsonObject done = done(config.dataDir(), genesis);
      return done != null ? done : restore(config.dataDir(), genesis);
    } catch (BootstrapException wrong) {
      throw new IllegalArgumentException(wrong.getMessage());
    } catch (DataDirectory.RefusedException refused) {
      throw new IOException(refused.getMessage() + "; nothing was restored");
    }
  }

  /** What is asked for, to tell whether it has been done. */
  private String asked(Genesis genesis) {
    return String.join(
        " ", MemberIds.hex(genesis.clusterId()), MemberIds.hex(genesis.memberId()), id == null ? "latest" : id, Long.toString(revision), time == null ? "-" : time,
        Long.toString(bump), Boolean.toString(markCompacted));
  }

  /** The result of the run that did just this; null when there was none. */
  private JsonObject done(Path dataDir, Genesis genesis) throws IOException {
    Path note = dataDir.resolve("member").resolve(NOTE);
    if (!Files.exists(note)) {
      return null;
    }
    String[] lines = Files.readString(note).split("\n", 2);
    if (lines.length < 2 || !lines[0].equals(asked(genesis))) {
      return null;
    }
    err.println("restore: " + dataDir + " has been restored so already; nothing was done");
    return JsonParser.parseString(lines[1]).getAsJsonObject();
  }

  private JsonObject restore(Path dataDir, Genesis genesis) throws IOException, DataDirectory.RefusedException {
    if (walDir != null && Files.isDirectory(walDir) && !isEmpty(walDir)) {
      throw new DataDirectory.RefusedException("wal-dir " + walDir + " is not empty");
    }
    try (Repository repository = Repository.open(destination.open(environment, FailPoint.NONE), destination.key(), destination.settings(FailPoint.NONE))) {
      Selection selection = Selection.of(repository, id, latest, revision, time, err);
      try (StagedDirectory staged = StagedDirectory.create(dataDir)) {
        Restoring.Restored restored = new Restoring(repository, selection.chain(), selection.target(), err).run(staged.store(), staged.received());
        long begins = Restoring.found(staged.store(), withRootPassword(restored, genesis), genesis, bump, markCompacted);
        JsonObject json = json(selection.chain().last().id(), restored, begins, genesis);
        staged.note(NOTE, asked(genesis) + "\n" + json);
        staged.finish(genesis);
        tell(dataDir, json);
        return json;
      }
    }
  }

  private Restoring.Restored withRootPassword(Restoring.Restored restored, Genesis genesis) throws IOException {
    if (rootPasswordFile == null) {
      return restored;
    }
    String password = Files.readString(rootPasswordFile).strip();
    MachineState state = restored.state();
    MachineState changed = state.toBuilder().setAuth(RootPassword.set(state.getAuth(), password, genesis.clusterId())).build();
    return new Restoring.Restored(restored.revision(), restored.hash(), restored.index(), restored.compared(), changed);
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.findAny().isEmpty();
    }
  }

  private static JsonObject json(String backup, Restoring.Restored restored, long begins, Genesis genesis) {
    JsonObject json = new JsonObject();
    json.addProperty("id", backup);
    json.addProperty("restoredRevision", restored.revision());
    json.addProperty("revision", begins);
    json.addProperty("contentHash", Integer.toUnsignedLong(restored.hash().hash()));
    json.addProperty("contentHashRevision", restored.hash().hashRevision());
    json.addProperty("contentHashCompared", restored.compared());
    json.addProperty("clusterID", MemberIds.hex(genesis.clusterId()));
    json.addProperty("memberID", MemberIds.hex(genesis.memberId()));
    return json;
  }

  private void tell(Path dataDir, JsonObject json) {
    err.printf(
        "restored revision %s of backup %s into %s: member %s of cluster %s, which begins at revision %s%n", json.get("restoredRevision"), json.get("id").getAsString(), dataDir,
        json.get("memberID").getAsString(), json.get("clusterID").getAsString(), json.get("revision"));
  }
}
