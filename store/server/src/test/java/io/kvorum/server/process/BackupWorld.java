package io.kvorum.server.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.server.backup.BackupCommand;
import io.kvorum.server.backup.BackupDeleteCommand;
import io.kvorum.server.backup.BackupListCommand;
import io.kvorum.server.backup.VerifyCommand;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import picocli.CommandLine;

/** The commands about backups, run in this process against one repository, and what tests ask members. */
final class BackupWorld {
  private static final long DEADLINE_SECONDS = 30;

  final Path repository;
  private final List<String> more;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  /** @param more options of each command that says where the repository is */
  BackupWorld(Path repository, String... more) {
    this.repository = repository;
    this.more = List.of(more);
  }

  /** The result of a command that must end so. */
  JsonObject run(int code, String... arguments) {
    out.reset();
    err.reset();
    PrintStream stdout = new PrintStream(out, true, UTF_8);
    PrintStream stderr = new PrintStream(err, true, UTF_8);
    int words = arguments[1].startsWith("-") ? 1 : 2;
    CommandLine line =
        new CommandLine(
            switch (String.join(" ", Arrays.copyOf(arguments, words))) {
              case "backup" -> new BackupCommand(stdout, stderr, Map.of(), point -> {});
              case "backup list" -> new BackupListCommand(stdout, stderr, Map.of());
              case "backup delete" -> new BackupDeleteCommand(stdout, stderr, Map.of(), point -> {});
              case "restore" -> new RestoreCommand(stdout, stderr, Map.of());
              case "verify" -> new VerifyCommand(stdout, stderr, Map.of());
              default -> throw new IllegalArgumentException(arguments[0]);
            });
    line.setErr(new PrintWriter(stderr, true, UTF_8));
    List<String> all = new ArrayList<>(Arrays.asList(arguments).subList(words, arguments.length));
    all.add("--destination=" + repository);
    all.add("--json");
    all.addAll(more);
    int found = line.execute(all.toArray(String[]::new));
    assertThat(found).as(String.join(" ", arguments) + "\n" + out.toString(UTF_8) + err.toString(UTF_8)).isEqualTo(code);
    String[] lines = out.toString(UTF_8).split("\n");
    return JsonParser.parseString(lines[lines.length - 1]).getAsJsonObject();
  }

  String err() {
    return err.toString(UTF_8);
  }

  /** Bytes of all objects, manifests aside. */
  long bytes() throws IOException {
    long bytes = 0;
    for (String kind : List.of("segments", "log", "state")) {
      for (Path file : files(kind)) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }

  List<Path> files(String kind) throws IOException {
    Path folder = repository.resolve(kind);
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(Files::isRegularFile).sorted().toList();
    }
  }

  static long put(ManagedChannel channel, String key, int bytes, long lease) {
    PutRequest put = PutRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)).setValue(ByteString.copyFrom(new byte[bytes])).setLease(lease).build();
    return KVGrpc.newBlockingStub(channel).withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS).put(put).getHeader().getRevision();
  }

  static long put(ManagedChannel channel, String key, int bytes) {
    return put(channel, key, bytes, 0);
  }

  /** All keys with their values, versions and revisions, as of a revision (0 for the newest). */
  static List<?> everything(ManagedChannel channel, long revision) {
    RangeRequest all = RangeRequest.newBuilder().setKey(ByteString.copyFrom(new byte[1])).setRangeEnd(ByteString.copyFrom(new byte[1])).setRevision(revision).build();
    RangeResponse answer = KVGrpc.newBlockingStub(channel).withWaitForReady().withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS).range(all);
    return answer.getKvsList();
  }

  static long hash(ManagedChannel channel, long revision) {
    return Integer.toUnsignedLong(
        MaintenanceGrpc.newBlockingStub(channel)
            .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
            .hashKV(HashKVRequest.newBuilder().setRevision(revision).build())
            .getHash());
  }
}
