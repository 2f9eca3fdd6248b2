package io.kvorum.server.backup;

import com.google.gson.JsonObject;
import io.kvorum.mvcc.FailPoint;
import io.kvorum.server.backup.repository.BackupException;
import io.kvorum.server.backup.repository.BackupException.Reason;
import io.kvorum.server.backup.repository.BackupManifest;
import io.kvorum.server.backup.repository.Chain;
import io.kvorum.server.backup.repository.Kind;
import io.kvorum.server.backup.repository.PublishedBackup;
import io.kvorum.server.backup.repository.Repository;
import io.kvorum.server.migrate.Progress;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code kvorum verify}: proves a backup by restoring it into a scratch folder and comparing the content hash with what the live member told. */
@Command(
    name = "verify",
    sortOptions = false,
    description = "Restores a backup into a scratch folder and compares its content with what the member had. Exit code 4 when it differs or an object is damaged.")
public final class VerifyCommand extends RepositoryCommand {
  private static final double NANOS = 1e9;

  @Option(names = "--id", required = true, description = "the backup; those before it are part of it")
  private String id;

  @Option(names = "--checksums-only", description = "read all objects and compare their hashes; restore nothing")
  private boolean checksumsOnly;

  @Option(names = "--scratch", description = "a folder with room for the segments twice (default: that of temporary files)")
  private Path scratch = Path.of(System.getProperty("java.io.tmpdir"));

  /** @param environment where credentials come from */
  public VerifyCommand(PrintStream out, PrintStream err, Map<String, String> environment) {
    super("verify", out, err, environment);
  }

  @Override
  protected JsonObject run() throws IOException {
    long began = System.nanoTime();
    try (Repository repository = Repository.open(destination.open(environment, FailPoint.NONE), destination.key(), destination.settings(FailPoint.NONE))) {
      Selection selection = Selection.of(repository, id, false, 0, null, err);
      JsonObject json = new JsonObject();
      json.addProperty("id", id);
      if (checksumsOnly) {
        long bytes = read(repository, selection.chain());
        json.addProperty("bytes", bytes);
        tell("all %d bytes of backup %s and those before it are what was written", bytes, id);
      } else {
        restore(repository, selection, json);
      }
      json.addProperty("seconds", (System.nanoTime() - began) / NANOS);
      return json;
    }
  }

  private void restore(Repository repository, Selection selection, JsonObject json) throws IOException {
    Path directory = Files.createTempDirectory(scratch, "kvorum-verify-");
    try {
      Restoring.Restored restored = new Restoring(repository, selection.chain(), selection.target(), err).run(directory.resolve("store"), directory.resolve("received"));
      BackupManifest.ContentHash expected = selection.chain().last().manifest().contentHash();
      if (!restored.compared()) {
        throw new BackupException(Reason.HASH_MISMATCH, "the log of backup " + id + " ends at index " + restored.index());
      }
      json.addProperty("restoredRevision", restored.revision());
      json.addProperty("contentHash", Integer.toUnsignedLong(restored.hash().hash()));
      json.addProperty("expectedContentHash", expected.hash());
      json.addProperty("hashMatched", true);
      tell("backup %s restores to revision %d with content hash (HashKV) %d, as the member had it", id, restored.revision(), expected.hash());
    } finally {
      delete(directory);
    }
  }

  private long read(Repository repository, Chain chain) throws IOException {
    Progress progress =
        Progress.unattended(err, "checking", chain.backups().stream().mapToLong(backup -> backup.manifest().bytes()).sum(), System::nanoTime);
    long bytes = 0;
    for (PublishedBackup backup : chain.backups()) {
      BackupManifest manifest = backup.manifest();
      for (BackupManifest.Segment segment : manifest.segments()) {
        bytes += read(repository, Kind.SEGMENT, segment.hex(), progress);
      }
      for (BackupManifest.LogChunk chunk : manifest.log()) {
        bytes += read(repository, Kind.LOG, chunk.hex(), progress);
      }
      if (manifest.state().isPresent()) {
        bytes += read(repository, Kind.STATE, manifest.state().get().hex(), progress);
      }
    }
    progress.end();
    return bytes;
  }

  private static long read(Repository repository, Kind kind, String hex, Progress progress) throws IOException {
    long bytes = 0;
    byte[] buffer = new byte[256 << 10];
    try (InputStream in = Restoring.open(repository, kind, hex)) {
      for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
        bytes += length;
        progress.advance(length);
      }
    }
    return bytes;
  }

  private static void delete(Path root) throws IOException {
    try (Stream<Path> files = Files.walk(root)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
