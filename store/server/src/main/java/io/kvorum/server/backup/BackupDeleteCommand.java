package io.kvorum.server.backup;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.kvorum.mvcc.FailPoint;
import io.kvorum.server.backup.repository.Repository;
import io.kvorum.server.config.GoSyntax;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code kvorum backup delete}. */
@Command(name = "delete", sortOptions = false, description = "Deletes a backup, and the objects that no backup needs and that are older than the grace time.")
public final class BackupDeleteCommand extends RepositoryCommand {
  @Option(names = "--id", required = true, description = "the backup")
  private String id;

  @Option(names = "--cascade", description = "with all that go on from it; without, such a backup is refused")
  private boolean cascade;

  @Option(names = "--grace", defaultValue = "24h", description = "how long objects that no backup needs stay, for runs that are on or interrupted (default: ${DEFAULT-VALUE})")
  private String grace;

  private final FailPoint failPoint;

  /** @param environment where credentials come from */
  public BackupDeleteCommand(PrintStream out, PrintStream err, Map<String, String> environment, FailPoint failPoint) {
    super("backup delete", out, err, environment);
    this.failPoint = failPoint;
  }

  @Override
  protected JsonObject run() throws IOException {
    try (Repository repository = Repository.manage(destination.open(environment, failPoint), destination.settings(failPoint))) {
      List<String> deleted = repository.delete(id, cascade);
      Repository.Collected collected = repository.collect(GoSyntax.duration(grace));
      tell("deleted %s, and %d objects of %d bytes that nothing needs", String.join(", ", deleted), collected.objects(), collected.bytes());
      JsonObject json = new JsonObject();
      json.addProperty("id", id);
      JsonArray ids = new JsonArray();
      deleted.forEach(ids::add);
      json.add("deleted", ids);
      json.addProperty("objects", collected.objects());
      json.addProperty("bytes", collected.bytes());
      return json;
    }
  }
}
