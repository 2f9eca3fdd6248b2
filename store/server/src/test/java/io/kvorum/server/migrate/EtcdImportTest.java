package io.kvorum.server.migrate;

import static io.kvorum.server.migrate.EtcdBuckets.ascii;
import static io.kvorum.server.migrate.EtcdBuckets.revision;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.kvorum.bbolt.Bucket;
import io.kvorum.mvcc.KeyValueCodec;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.RangeQuery;
import io.kvorum.mvcc.ReadView;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.protocol.authpb.Role;
import io.kvorum.protocol.authpb.User;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.StoredAuth;
import io.kvorum.protocol.internal.StoredLease;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EtcdImportTest {
  private static final MvccOptions OPTIONS = new MvccOptions(0, true, MvccOptions.DEFAULT.failPoint());

  @TempDir Path directory;
  private final ByteArrayOutputStream told = new ByteArrayOutputStream();

  private EtcdImport.Result load(Path file, boolean skipHashCheck, long bump) throws IOException {
    EtcdImport work = new EtcdImport(new PrintStream(told, true, UTF_8), System::nanoTime, new EtcdImport.Options(skipHashCheck, bump));
    try (SnapshotFile source = SnapshotFile.open(file)) {
      return work.run(source, MachineState.newBuilder().setClusterId(9).build(), directory.resolve("imported"));
    }
  }

  private MvccStore imported() throws IOException {
    return MvccStore.open(directory.resolve("imported"), OPTIONS);
  }

  private static SortedMap<byte[], byte[]> rows() {
    return new TreeMap<>(Arrays::compareUnsigned);
  }

  private static byte[] hex(String text) {
    return HexFormat.of().parseHex(text);
  }

  /** What etcd holds after put a=1; put b=2 and c="" with lease 0x77; delete b; put a=3. */
  private static SortedMap<byte[], byte[]> history() {
    SortedMap<byte[], byte[]> rows = rows();
    rows.put(revision(2, 0, false), hex("0a01611002180220012a0131"));
    rows.put(revision(3, 0, false), hex("0a01621003180320012a0132"));
    rows.put(revision(3, 1, false), hex("0a01631003180320013077"));
    rows.put(revision(4, 0, true), hex("0a0162"));
    rows.put(revision(5, 0, false), hex("0a01611002180520022a0133"));
    return rows;
  }

  private static SortedMap<byte[], byte[]> meta(String... marks) {
    SortedMap<byte[], byte[]> meta = rows();
    meta.put(EtcdBuckets.STORAGE_VERSION, ascii("3.6.0"));
    for (String mark : marks) {
      meta.put(ascii(mark.split("=")[0]), revision(Long.parseLong(mark.split("=")[1]), 0, false));
    }
    return meta;
  }

  private Path file(SortedMap<byte[], byte[]> history, SortedMap<byte[], byte[]> meta) throws IOException {
    return Exported.buckets(directory.resolve("file.db"), List.of(Bucket.of("key", history), Bucket.of("meta", meta)));
  }

  private static long hash(MvccStore store, long revision) {
    try (ReadView view = store.view()) {
      return Integer.toUnsignedLong(view.hash(revision).hash());
    }
  }

  /** The hashes are etcd's. */
  @Test
  void a_known_history() throws IOException {
    EtcdImport.Result result = load(file(history(), meta()), false, 0);
    assertThat(result).isEqualTo(new EtcdImport.Result(4, 1, 0, 0, 0, false, 5, -1, 2, (int) 3831197733L));
    try (MvccStore store = imported()) {
      assertThat(hash(store, 4)).isEqualTo(4073892351L);
      assertThat(hash(store, 3)).isEqualTo(2983001717L);
      assertThat(store.checkpoint().index()).isEqualTo(1);
      assertThat(MachineState.parseFrom(store.checkpoint().machineState()).getClusterId()).isEqualTo(9);
    }
  }

  /** etcd would do the compaction at its next start: only the mark of the accepted one is there, and no row has gone yet. */
  @Test
  void a_compaction_that_was_under_way_counts_as_done() throws IOException {
    EtcdImport.Result result = load(file(history(), meta("scheduledCompactRev=4")), false, 0);
    assertThat(result.compactRevision()).isEqualTo(4);
    try (MvccStore store = imported()) {
      assertThat(hash(store, 0)).isEqualTo(106768027L);
      assertThat(hash(store, 4)).isEqualTo(1412039910L);
    }
  }

  @Test
  void the_marks_tell_the_revision_when_no_row_is_left() throws IOException {
    assertThat(load(file(rows(), meta("scheduledCompactRev=50", "finishedCompactRev=50")), false, 0).revision()).isEqualTo(50);
    try (MvccStore store = imported()) {
      put(store, "next", 1);
      assertThat(store.revision()).isEqualTo(51);
    }
  }

  @Test
  void the_bucket_meta_alone_is_an_empty_store() throws IOException {
    Path file = Exported.buckets(directory.resolve("file.db"), List.of(Bucket.of("meta", rows())));
    assertThat(load(file, false, 0)).isEqualTo(new EtcdImport.Result(0, 0, 0, 0, 0, false, 1, -1, 0, 1084519789));
  }

  /** As etcdutl does it: one row without a pair, at which the whole history is compacted. */
  @Test
  void a_bump_hides_all_former_revisions() throws IOException {
    EtcdImport.Result result = load(file(history(), meta()), false, 1_000_000_000);
    assertThat(result.revision()).isEqualTo(1_000_000_005L);
    assertThat(result.compactRevision()).isEqualTo(1_000_000_005L);
    assertThat(result.keys()).isEqualTo(2);

    // The same file as if etcdutl had bumped it.
    SortedMap<byte[], byte[]> bumped = history();
    bumped.put(revision(1_000_000_005L, 0, false), new byte[0]);
    Path other = file(bumped, meta("scheduledCompactRev=1000000005"));
    try (MvccStore store = imported()) {
      assertThat(keys(store)).containsExactly("a", "c");
      put(store, "a", 3);
      assertThat(store.revision()).isEqualTo(1_000_000_006L);
    }
    remove(directory.resolve("imported"));
    assertThat(load(other, false, 0)).isEqualTo(result);
    try (MvccStore store = imported()) {
      assertThat(keys(store)).containsExactly("a", "c");
      store.defragment().join();
      assertThat(hash(store, 0)).isEqualTo(Integer.toUnsignedLong(result.hash()));
    }
  }

  private static void remove(Path root) throws IOException {
    try (var files = Files.list(root)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(root);
  }

  private static List<String> keys(MvccStore store) {
    try (ReadView view = store.view()) {
      return view.range(new RangeQuery(new byte[1], new byte[1], 0, 0, false)).records().stream().map(record -> new String(record.key(), UTF_8)).toList();
    }
  }

  private static void put(MvccStore store, String key, int bytes) {
    WriteTxn txn = store.begin();
    txn.put(key.getBytes(UTF_8), new byte[bytes], 0);
    txn.end();
    store.publish();
  }

  /** Any history, out and in: the same hashes at all revisions that can be asked for, the same leased keys, the same file again. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void any_history_out_and_in(long seed) throws IOException {
    Random random = new Random(seed);
    MachineState machine =
        MachineState.newBuilder()
            .addLeases(StoredLease.newBuilder().setId(5).setTtl(60).setRemainingTtl(7))
            .addLeases(StoredLease.newBuilder().setId(-2).setTtl(1))
            .setAuth(
                StoredAuth.newBuilder()
                    .setEnabled(true)
                    .setRevision(11)
                    .addUsers(User.newBuilder().setName(ByteString.copyFromUtf8("root")).addRoles("root").setOptions(User.getDefaultInstance().getOptions()))
                    .addRoles(Role.newBuilder().setName(ByteString.copyFromUtf8("root")))
                    .build()
                    .toByteString())
            .build();
    Path file = directory.resolve("out.db");
    List<String> leased = new ArrayList<>();
    List<Long> hashes = new ArrayList<>();
    long floor;
    try (MvccStore store = MvccStore.open(directory.resolve("store"), OPTIONS)) {
      floor = write(store, random);
      Exported.state(file, store, machine);
      for (long at = Math.max(floor, 1); at <= store.revision(); at++) {
        hashes.add(hash(store, at));
      }
    }
    EtcdImport.Result result = load(file, false, 0);
    assertThat(result.compactRevision()).isEqualTo(floor);
    assertThat(result.authEnabled()).isTrue();
    try (MvccStore store = imported()) {
      store.forEachLeased((key, lease) -> leased.add(new String(key, UTF_8) + lease));
      List<Long> again = new ArrayList<>();
      for (long at = Math.max(floor, 1); at <= store.revision(); at++) {
        again.add(hash(store, at));
      }
      assertThat(again).isEqualTo(hashes);
      MachineState carried = MachineState.parseFrom(store.checkpoint().machineState());
      assertThat(carried.getAuth()).isEqualTo(machine.getAuth());
      assertThat(carried.getLeasesList()).containsExactlyInAnyOrderElementsOf(machine.getLeasesList());
      Path second = Exported.state(directory.resolve("second.db"), store, carried);
      assertThat(Files.mismatch(file, second)).isEqualTo(-1);
      assertThat(leased).isEqualTo(leasedIn(store));
    }
  }

  private static List<String> leasedIn(MvccStore store) {
    try (ReadView view = store.view()) {
      return view.range(new RangeQuery(new byte[1], new byte[1], 0, 0, false)).records().stream()
          .filter(record -> record.lease() != 0)
          .map(record -> new String(record.key(), UTF_8) + record.lease())
          .toList();
    }
  }

  private static long write(MvccStore store, Random random) {
    long floor = -1;
    int revisions = random.nextInt(50, 400);
    for (int i = 0; i < revisions; i++) {
      WriteTxn txn = store.begin();
      for (int j = random.nextInt(4); j >= 0; j--) {
        byte[] key = ("k" + random.nextInt(40)).getBytes(UTF_8);
        if (random.nextInt(4) == 0) {
          txn.deleteRange(key, random.nextInt(10) == 0 ? new byte[] {0} : null);
        } else {
          txn.put(key, new byte[random.nextInt(20) == 0 ? 9_000 : random.nextInt(40)], random.nextInt(5) == 0 ? 5 : 0);
        }
      }
      txn.end();
      store.publish();
      if (random.nextInt(100) == 0 && store.revision() > floor + 2) {
        floor = random.nextLong(Math.max(floor, 1) + 1, store.revision() + 1);
        store.compact(floor);
        store.publish();
      }
    }
    return floor;
  }

  private void refused(Path file, boolean skipHashCheck, String why) {
    assertThatThrownBy(() -> load(file, skipHashCheck, 0)).isInstanceOf(RefusedFileException.class).hasMessageContaining(why);
  }

  @Test
  void a_flipped_bit() throws IOException {
    Path file = file(history(), meta());
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(8_500);
      bytes.write(7);
    }
    refused(file, false, "expected sha256");
  }

  @Test
  void a_truncated_file() throws IOException {
    Path file = file(history(), meta());
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.setLength(9_000);
    }
    refused(file, false, "is truncated or no snapshot: 9000 bytes");
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.setLength(8_192);
    }
    refused(file, false, "no digest");
    refused(file, true, "the file is truncated: 8192 bytes of 12288");
    refused(directory.resolve("none.db"), false, "does not exist");
  }

  @Test
  void a_bare_file_is_taken_when_asked_for() throws IOException {
    Path file = file(history(), meta());
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.setLength(3 * 4_096);
    }
    refused(file, false, "--skip-hash-check");
    assertThat(load(file, true, 0).revision()).isEqualTo(5);
  }

  @Test
  void a_foreign_file() throws IOException {
    refused(Exported.buckets(directory.resolve("f.db"), List.of(Bucket.of("things", history()))), false, "not etcd's");
    Path zeros = Files.write(directory.resolve("zeros"), new byte[4_096]);
    refused(zeros, true, "not a bbolt file");
  }

  @Test
  void a_newer_etcd() throws IOException {
    SortedMap<byte[], byte[]> meta = meta();
    meta.put(EtcdBuckets.STORAGE_VERSION, ascii("3.7.0"));
    refused(file(history(), meta), false, "storage version 3.7.0 is newer than 3.6");
  }

  @Test
  void rows_that_are_none() throws IOException {
    SortedMap<byte[], byte[]> rows = history();
    rows.put(revision(6, 0, false), hex("0a0161ff"));
    refused(file(rows, meta()), false, "revision 6.0: not a stored key-value pair");
    rows.put(revision(6, 0, false), KeyValueCodec.put(new byte[] {'a'}, 2, 9, 3, new byte[0], 0));
    remove(directory.resolve("imported"));
    refused(file(rows, meta()), false, "revision 6.0 holds a pair of revision 9");
    rows.remove(revision(6, 0, false));
    rows.put(ascii("zzz"), new byte[0]);
    remove(directory.resolve("imported"));
    refused(file(rows, meta()), false, "no revision");
  }
}
