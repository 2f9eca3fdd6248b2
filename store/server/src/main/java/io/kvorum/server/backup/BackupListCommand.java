package io.kvorum.server.backup;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.kvorum.mvcc.FailPoint;
import io.kvorum.server.backup.repository.BackupManifest;
import io.kvorum.server.backup.repository.EncryptionKey;
import io.kvorum.server.backup.repository.ObjectStore;
import io.kvorum.server.backup.repository.PublishedBackup;
import io.kvorum.server.backup.repository.Repository;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;

/** {@code kvorum backup list}. */
@Command(name = "list", sortOptions = false, description = "Lists the backups of a destination, the oldest first. Needs no encryption key; with one, manifests are proven.")
public final class BackupListCommand extends RepositoryCommand {
  /** @param environment where credentials come from */
  public BackupListCommand(PrintStream out, PrintStream err, Map<String, String> environment) {
    super("backup list", out, err, environment);
  }

  @Override
  protected JsonObject run() throws IOException {
    ObjectStore objects = destination.open(environment, FailPoint.NONE);
    Optional<EncryptionKey> key = destination.key();
    try (Repository repository =
        key.isPresent() ? Repository.open(objects, key, destination.settings(FailPoint.NONE)) : Repository.manage(objects, destination.settings(FailPoint.NONE))) {
      Repository.Listing listing = repository.backups();
      listing.damaged().forEach((id, why) -> err.println("backup list: backup " + id + ": " + why));
      JsonArray backups = new JsonArray();
      for (PublishedBackup backup : listing.backups()) {
        backups.add(BackupCommand.json(backup));
        tell(backup.manifest());
      }
      JsonObject json = new JsonObject();
      json.add("backups", backups);
      return json;
    }
  }

  private void tell(BackupManifest manifest) {
    String previous = manifest.previous().map(before -> "  behind " + before.id()).orElse("");
    tell(
        "%s  %s  %s  revisions %d to %d, %s to %s  %d bytes, %d new%s", manifest.id(), manifest.type().word(), manifest.completedAt(), manifest.span().fromRevision(),
        manifest.span().toRevision(), manifest.span().fromTime(), manifest.span().toTime(), manifest.bytes(), manifest.newBytes(), previous);
  }
}
