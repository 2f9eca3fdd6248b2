package io.kvorum.server.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.protocol.etcdserverpb.HashKVRequest;
import io.kvorum.protocol.etcdserverpb.HashKVResponse;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseTimeToLiveResponse;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.StoredLease;
import io.kvorum.server.migrate.Exported;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class ImportCommandTest {
  @TempDir Path temp;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private Path file;
  private int hash;

  @BeforeEach
  void snapshot() throws IOException {
    file = temp.resolve("saved.db");
    MachineState machine = MachineState.newBuilder().addLeases(StoredLease.newBuilder().setId(77).setTtl(600)).build();
    try (MvccStore store = MvccStore.open(temp.resolve("source"), new MvccOptions(0, true, MvccOptions.DEFAULT.failPoint()))) {
      for (int i = 0; i < 20; i++) {
        WriteTxn txn = store.begin();
        txn.put(("k" + i % 7).getBytes(UTF_8), ("v" + i).getBytes(UTF_8), i % 7 == 3 ? 77 : 0);
        txn.end();
      }
      store.compact(12);
      store.publish();
      try (var view = store.view()) {
        hash = view.hash(15).hash();
      }
      Exported.state(file, store, machine);
    }
  }

  private int run(String... arguments) {
    CommandLine line = new CommandLine(new ImportCommand(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8)));
    line.setErr(new PrintWriter(err, true, UTF_8));
    line.setExecutionExceptionHandler(
        (failure, ignored, parsed) -> {
          err.writeBytes(String.valueOf(failure.getMessage()).getBytes(UTF_8));
          return 1;
        });
    return line.execute(arguments);
  }

  @Test
  void a_member_serves_what_was_imported() throws Exception {
    Path data = temp.resolve("m0");
    assertThat(run(file.toString(), "--name=m0", "--data-dir", data.toString(), "--initial-cluster-token=other")).as(err.toString(UTF_8)).isZero();
    assertThat(out.toString(UTF_8)).contains("7 keys", "1 leases", "revision 21, compacted at 12");
    assertThat(err.toString(UTF_8)).contains("checking: ", "importing: ");
    assertThat(temp.resolve("m0.importing")).doesNotExist();

    try (LoneMember member = new LoneMember(data)) {
      HashKVResponse at15 = MaintenanceGrpc.newBlockingStub(member.channel).hashKV(HashKVRequest.newBuilder().setRevision(15).build());
      assertThat(at15.getHash()).isEqualTo(hash);
      assertThat(at15.getCompactRevision()).isEqualTo(12);
      LeaseTimeToLiveResponse lease =
          LeaseGrpc.newBlockingStub(member.channel).leaseTimeToLive(LeaseTimeToLiveRequest.newBuilder().setID(77).setKeys(true).build());
      assertThat(lease.getKeysList()).containsExactly(ByteString.copyFromUtf8("k3"));
      assertThat(lease.getTTL()).isBetween(500L, 700L);
      RangeRequest before = RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("k0")).setRevision(14).build();
      assertThat(KVGrpc.newBlockingStub(member.channel).range(before).getKvs(0).getValue().toStringUtf8()).isEqualTo("v7");
    }
  }

  private void assertNothingImported(String why) {
    assertThat(out.toString(UTF_8)).isEmpty();
    assertThat(err.toString(UTF_8)).contains(why);
    assertThat(temp.resolve("m0")).doesNotExist();
    assertThat(temp.resolve("m0.importing")).doesNotExist();
  }

  @Test
  void a_refused_file_leaves_nothing_behind() throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(4_096 * 2 + 30);
      bytes.write(0x55);
    }
    assertThat(run(file.toString(), "--data-dir", temp.resolve("m0").toString())).isEqualTo(1);
    assertNothingImported("expected sha256");
    err.reset();
    assertThat(run(file.toString(), "--skip-hash-check", "--data-dir", temp.resolve("m0").toString())).isEqualTo(1);
    assertNothingImported("page 2");
  }

  @Test
  void wrong_options() {
    assertThat(run(file.toString(), "--bump-revision=5", "--data-dir", temp.resolve("m0").toString())).isEqualTo(2);
    assertNothingImported("need each other");
    assertThat(run(file.toString(), "--name=x", "--initial-cluster=y=http://h:1", "--data-dir", temp.resolve("m0").toString())).isEqualTo(1);
    assertNothingImported("x");
    assertThat(run("--data-dir", temp.resolve("m0").toString())).isEqualTo(2);
    assertNothingImported("FILE");
  }

  @Test
  void a_directory_in_use_is_left_alone() throws IOException {
    Path data = Files.createDirectory(temp.resolve("used"));
    Files.writeString(data.resolve("something"), "of others");
    assertThat(run(file.toString(), "--data-dir", data.toString())).isEqualTo(1);
    assertThat(err.toString(UTF_8)).contains("is not empty");
    assertThat(data.resolve("something")).hasContent("of others");
  }

  @Test
  void what_a_killed_import_left_is_replaced() throws Exception {
    Path staging = Files.createDirectories(temp.resolve("m0.importing"));
    DataDirectory.open(staging, null).close();
    Files.writeString(staging.resolve("member/store/left"), "over");
    assertThat(run(file.toString(), "--data-dir", temp.resolve("m0").toString())).as(err.toString(UTF_8)).isZero();
    assertThat(temp.resolve("m0/member/store/left")).doesNotExist();
    assertThat(temp.resolve("m0/member/genesis")).exists();
  }
}
