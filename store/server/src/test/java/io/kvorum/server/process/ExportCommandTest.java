package io.kvorum.server.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ExportCommandTest {
  @TempDir Path temp;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int export(Path data, Path file) {
    CommandLine line = new CommandLine(new ExportCommand(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8)));
    line.setExecutionExceptionHandler(
        (failure, ignored, parsed) -> {
          err.writeBytes(String.valueOf(failure.getMessage()).getBytes(UTF_8));
          return 1;
        });
    return line.execute(data.toString(), file.toString());
  }

  private static void fill(LoneMember member) {
    LeaseGrpc.newBlockingStub(member.channel).leaseGrant(LeaseGrantRequest.newBuilder().setID(99).setTTL(600).build());
    for (int i = 0; i < 30; i++) {
      KVGrpc.newBlockingStub(member.channel)
          .put(PutRequest.newBuilder().setKey(ByteString.copyFromUtf8("k" + i % 9)).setValue(ByteString.copyFromUtf8("v" + i)).setLease(i % 9 == 1 ? 99 : 0).build());
    }
  }

  private static HashKVResponse hash(LoneMember member) {
    return MaintenanceGrpc.newBlockingStub(member.channel).hashKV(HashKVRequest.getDefaultInstance());
  }

  static void copy(Path from, Path to) throws IOException {
    Files.walkFileTree(
        from,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) throws IOException {
            Files.createDirectories(to.resolve(from.relativize(directory)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
            Files.copy(file, to.resolve(from.relativize(file)));
            return FileVisitResult.CONTINUE;
          }
        });
  }

  /** The copy is what a power cut would leave: no checkpoint, everything in the log. */
  @Test
  void a_killed_and_a_stopped_member_give_all_that_was_acknowledged() throws Exception {
    Path data = temp.resolve("m0");
    Path killed = temp.resolve("killed");
    HashKVResponse expected;
    try (LoneMember member = new LoneMember(data)) {
      fill(member);
      expected = hash(member);
      copy(data, killed);
    }
    assertThat(export(killed, temp.resolve("killed.db"))).as(err.toString(UTF_8)).isZero();
    assertThat(export(data, temp.resolve("stopped.db"))).as(err.toString(UTF_8)).isZero();
    String content = "revision " + expected.getHashRevision();
    assertThat(out.toString(UTF_8)).contains(content).contains("(HashKV) " + Integer.toUnsignedLong(expected.getHash()));
    assertThat(out.toString(UTF_8).lines().map(line -> line.replaceAll("log index \\d+|into .*", "")).distinct()).hasSize(1);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(temp.resolve("stopped.db")))).isEqualTo("rw-------");
    assertThat(temp.resolve("stopped.db.part")).doesNotExist();

    assertThat(new CommandLine(new ImportCommand(new PrintStream(out), new PrintStream(err))).execute(temp.resolve("killed.db").toString(), "--data-dir", temp.resolve("again").toString()))
        .isZero();
    try (LoneMember again = new LoneMember(temp.resolve("again"))) {
      assertThat(hash(again).getHash()).isEqualTo(expected.getHash());
      assertThat(LeaseGrpc.newBlockingStub(again.channel).leaseLeases(LeaseLeasesRequest.getDefaultInstance()).getLeases(0).getID()).isEqualTo(99);
    }
    // Exporting changes nothing: the member goes on.
    try (LoneMember member = new LoneMember(killed)) {
      assertThat(hash(member).getHash()).isEqualTo(expected.getHash());
    }
  }

  @Test
  void a_running_member_is_refused_and_so_is_anything_else() throws Exception {
    Path data = temp.resolve("m0");
    try (LoneMember member = new LoneMember(data)) {
      assertThat(export(data, temp.resolve("x.db"))).isEqualTo(1);
    }
    assertThat(err.toString(UTF_8)).contains("in use by another process");
    assertThat(export(Files.createDirectory(temp.resolve("empty")), temp.resolve("x.db"))).isEqualTo(1);
    assertThat(err.toString(UTF_8)).contains("not a member's data directory");
    assertThat(temp.resolve("x.db")).doesNotExist();
  }
}
