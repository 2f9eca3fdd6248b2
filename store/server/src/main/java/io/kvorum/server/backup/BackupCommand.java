package io.kvorum.server.backup;

import com.google.gson.JsonObject;
import io.kvorum.mvcc.FailPoint;
import io.kvorum.server.backup.repository.BackupManifest;
import io.kvorum.server.backup.repository.ObjectStore;
import io.kvorum.server.backup.repository.PublishedBackup;
import io.kvorum.server.backup.repository.Repository;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code kvorum backup}: ships a backup of a running cluster to a folder or object storage; run again with the same id after an interruption, it goes on. */
@Command(
    name = "backup",
    sortOptions = false,
    description = {
      "Takes a backup of a running cluster. A full one ships the segments that the destination does not have yet, a delta the log behind the newest backup.",
      "Interrupted, it goes on when it is run again with the same --id. Also: backup list, backup delete."
    })
public final class BackupCommand extends RepositoryCommand {
  private static final DateTimeFormatter ID = DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final double MILLIS = 1e3;

  @Mixin private SourceOptions source;
  @Option(names = "--type", defaultValue = "full", description = "full or delta (default: ${DEFAULT-VALUE})")
  private String type;

  @Option(names = "--id", description = "the backup's name (default: UTC time and type)")
  private String id;

  @Option(names = "--scratch", description = "a folder for one segment at a time (default: that of temporary files)")
  private Path scratch = Path.of(System.getProperty("java.io.tmpdir"));

  private final FailPoint failPoint;

  /**
   * @param out the result
   * @param err progress
   * @param environment where credentials come from
   * @param failPoint told what became durable
   */
  public BackupCommand(PrintStream out, PrintStream err, Map<String, String> environment, FailPoint failPoint) {
    super("backup", out, err, environment);
    this.failPoint = failPoint;
  }

  @Override
  protected JsonObject run() throws IOException {
    BackupManifest.Type wanted = type();
    SourceOptions.Address address = source.address();
    String name = id == null ? ID.format(Instant.now()) + "-" + wanted.word() : id;
    if (!name.matches("[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")) {
      throw new IllegalArgumentException("--id is 1 to 128 letters, digits and . _ -, and begins with none of the dots");
    }
    ObjectStore objects = destination.open(environment, failPoint);
    try (Repository repository = Repository.openOrCreate(objects, destination.key(), destination.settings(failPoint))) {
      BackupRun.Settings settings = new BackupRun.Settings(wanted, name, scratch, err, failPoint);
      PublishedBackup backup = new BackupRun(settings, repository, objects, new Sources(address, err)).run();
      tell(backup);
      return json(backup);
    }
  }

  private BackupManifest.Type type() {
    for (BackupManifest.Type candidate : BackupManifest.Type.values()) {
      if (candidate.word().equals(type)) {
        return candidate;
      }
    }
    throw new IllegalArgumentException("--type is full or delta");
  }

  private void tell(PublishedBackup backup) {
    BackupManifest manifest = backup.manifest();
    tell("backup %s (%s) of member %s: %s", backup.id(), manifest.type().word(), manifest.source().memberName(), backup.uri());
    tell(
        "revisions %d to %d, %d bytes, %d of them new, content hash (HashKV) %d", manifest.span().fromRevision(), manifest.span().toRevision(), manifest.bytes(),
        manifest.newBytes(), manifest.contentHash().hash());
  }

  static JsonObject json(PublishedBackup backup) {
    BackupManifest manifest = backup.manifest();
    JsonObject json = new JsonObject();
    json.addProperty("id", backup.id());
    json.addProperty("type", manifest.type().word());
    json.addProperty("uri", backup.uri());
    json.addProperty("sha256", backup.sha256());
    json.addProperty("sizeBytes", manifest.bytes());
    json.addProperty("newBytes", manifest.newBytes());
    json.addProperty("fromRevision", manifest.span().fromRevision());
    json.addProperty("toRevision", manifest.span().toRevision());
    json.addProperty("fromTime", manifest.span().fromTime().toString());
    json.addProperty("toTime", manifest.span().toTime().toString());
    json.addProperty("clusterID", manifest.source().clusterId());
    json.addProperty("version", manifest.source().kvorumVersion());
    json.addProperty("contentHash", manifest.contentHash().hash());
    json.addProperty("contentHashRevision", manifest.contentHash().revision());
    json.addProperty("contentHashCompactRevision", manifest.contentHash().compactRevision());
    manifest.previous().ifPresent(
        previous -> {
          json.addProperty("previous", previous.id());
          json.addProperty("previousSha256", previous.sha256());
        });
    json.addProperty("member", manifest.source().memberName());
    json.addProperty("seconds", (manifest.completedAt().toEpochMilli() - manifest.startedAt().toEpochMilli()) / MILLIS);
    return json;
  }
}
