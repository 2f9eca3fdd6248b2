package io.kvorum.server.maintenance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.kvorum.bbolt.BoltReader;
import io.kvorum.bbolt.ByteSource;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.protocol.authpb.User;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.SnapshotRequest;
import io.kvorum.protocol.etcdserverpb.SnapshotResponse;
import io.kvorum.protocol.internal.MachineState;
import io.kvorum.protocol.internal.StoredAuth;
import io.kvorum.protocol.internal.StoredLease;
import io.kvorum.protocol.leasepb.Lease;
import io.kvorum.server.apply.Alarms;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.cluster.Member;
import io.kvorum.server.cluster.ServiceRig;
import io.kvorum.server.migrate.FrozenState;
import io.kvorum.server.peer.FakeNode;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotsTest {
  private static final int BLOB = 32 << 10;

  @TempDir Path directory;
  private MvccStore store;
  private ServiceRig rig;
  private MachineState machine = MachineState.getDefaultInstance();
  private Executor senders = Executors.newCachedThreadPool(Thread.ofPlatform().daemon().factory());
  private final List<Long> durations = new CopyOnWriteArrayList<>();

  @BeforeEach
  void open() throws Exception {
    store = MvccStore.open(directory, new MvccOptions(0, true, MvccOptions.DEFAULT.failPoint()));
    rig = new ServiceRig(store, List.of(new Member(1, "one", List.of("http://a:1"), List.of(), false, 1)));
  }

  @AfterEach
  void close() throws Exception {
    rig.close();
    store.close();
  }

  private MaintenanceGrpc.MaintenanceBlockingStub serve() throws Exception {
    return MaintenanceGrpc.newBlockingStub(rig.serve(service())).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  private MaintenanceService service() {
    FrozenState.Source source = () -> CompletableFuture.completedFuture(new FrozenState(store.view(), machine, 77, 5));
    Snapshots snapshots = new Snapshots(source, task -> senders.execute(task), durations::add);
    return new MaintenanceService(rig.kernel, rig.members, new Alarms(), new FakeNode(), new ContentHash(rig.kernel, rig.timer), snapshots, () -> 0);
  }

  private void put(String key, int bytes) {
    WriteTxn txn = store.begin();
    txn.put(key.getBytes(UTF_8), new byte[bytes], 0);
    txn.end();
    store.publish();
  }

  private static byte[] file(Iterator<SnapshotResponse> stream) throws Exception {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    List<SnapshotResponse> messages = new ArrayList<>();
    stream.forEachRemaining(messages::add);
    SnapshotResponse sum = messages.removeLast();
    long total = messages.stream().mapToLong(message -> message.getBlob().size()).sum();
    for (SnapshotResponse message : messages) {
      all.write(message.getBlob().toByteArray());
      assertThat(message.hasHeader()).isFalse();
      assertThat(message.getVersion()).isEqualTo("3.6.0");
      assertThat(message.getRemainingBytes()).isEqualTo(total - all.size());
      assertThat(message.getBlob().size()).isEqualTo(Math.min(BLOB, (int) (total - all.size() + message.getBlob().size())));
    }
    assertThat(sum.getBlob().toByteArray()).isEqualTo(MessageDigest.getInstance("SHA-256").digest(all.toByteArray()));
    assertThat(sum.getRemainingBytes()).isZero();
    assertThat(sum.getVersion()).isEqualTo("3.6.0");
    assertThat(all.size() % 512).isZero();
    return all.toByteArray();
  }

  private static SortedMap<String, byte[]> rows(byte[] file, String bucket) throws Exception {
    ByteSource source =
        new ByteSource() {
          @Override
          public long size() {
            return file.length;
          }

          @Override
          public void read(long offset, ByteBuffer into) {
            into.put(file, (int) offset, into.remaining());
          }
        };
    SortedMap<String, byte[]> rows = new TreeMap<>();
    BoltReader.open(source)
        .forEach(
            bucket,
            (key, value) -> {
              byte[] copy = new byte[value.remaining()];
              value.get(copy);
              rows.put(bucket.equals("meta") ? new String(key, UTF_8) : HexFormat.of().formatHex(key), copy);
            });
    return rows;
  }

  @Test
  void the_file_holds_history_leases_users_and_marks() throws Exception {
    put("a", 1);
    put("b", 100_000);
    WriteTxn txn = store.begin();
    txn.deleteRange("a".getBytes(UTF_8), null);
    txn.put("c".getBytes(UTF_8), new byte[0], -2);
    txn.end();
    store.compact(2);
    store.publish();
    User user = User.newBuilder().setName(ByteString.copyFromUtf8("u")).build();
    machine =
        MachineState.newBuilder()
            .addLeases(StoredLease.newBuilder().setId(-2).setTtl(60))
            .addLeases(StoredLease.newBuilder().setId(5).setTtl(60).setRemainingTtl(7))
            .setAuth(StoredAuth.newBuilder().setEnabled(true).setRevision(4).addUsers(user).build().toByteString())
            .build();

    byte[] file = file(serve().snapshot(SnapshotRequest.getDefaultInstance()));

    assertThat(rows(file, "key").keySet())
        .containsExactly(
            "00000000000000025f0000000000000000", "00000000000000035f0000000000000000", "00000000000000045f000000000000000074", "00000000000000045f0000000000000001");
    assertThat(rows(file, "key").get("00000000000000045f000000000000000074")).isEqualTo(HexFormat.of().parseHex("0a0161"));
    SortedMap<String, byte[]> leases = rows(file, "lease");
    assertThat(leases.keySet()).containsExactly("0000000000000005", "fffffffffffffffe");
    assertThat(Lease.parseFrom(leases.get("0000000000000005"))).isEqualTo(Lease.newBuilder().setID(5).setTTL(60).setRemainingTTL(7).build());
    assertThat(rows(file, "authUsers").get("75")).as("options are always there").isEqualTo(HexFormat.of().parseHex("0a01752200"));
    SortedMap<String, byte[]> meta = rows(file, "meta");
    assertThat(meta.keySet()).containsExactly("consistent_index", "finishedCompactRev", "scheduledCompactRev", "storageVersion", "term");
    assertThat(ByteBuffer.wrap(meta.get("consistent_index")).getLong()).isEqualTo(77);
    assertThat(meta.get("finishedCompactRev")).isEqualTo(HexFormat.of().parseHex("00000000000000025f0000000000000000"));
    // It is measured up to the end of the stream, which its reader may see first.
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (durations.isEmpty() && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    assertThat(durations).hasSize(1);
  }

  @Test
  void an_empty_store_gives_a_small_file() throws Exception {
    byte[] file = file(serve().snapshot(SnapshotRequest.getDefaultInstance()));
    assertThat(file).hasSize(3 * 4096);
    assertThat(rows(file, "key")).isEmpty();
    assertThat(rows(file, "meta").keySet()).containsExactly("consistent_index", "storageVersion", "term");
  }

  /** A reader that takes one message and then waits gets what was there at first, and holds nobody up. */
  @Test
  void a_slow_reader_sees_one_state_while_writes_go_on() throws Exception {
    for (int i = 0; i < 300; i++) {
      put("k" + i, 20_000);
    }
    Reader reader = new Reader();
    MaintenanceGrpc.newStub(rig.serve(service())).snapshot(SnapshotRequest.getDefaultInstance(), reader);
    reader.call.request(1);
    reader.await(1);
    for (int i = 0; i < 300; i++) {
      put("k" + i, 10);
    }
    store.compact(500);
    store.publish();
    store.defragment().get(30, TimeUnit.SECONDS);
    assertThat(reader.messages).hasSize(1);
    assertThat(durations).as("the stream waits for its reader").isEmpty();

    reader.call.request(Integer.MAX_VALUE);
    reader.ended.get(30, TimeUnit.SECONDS);

    SortedMap<String, byte[]> rows = rows(file(reader.messages.iterator()), "key");
    assertThat(rows).hasSize(300);
    assertThat(rows.values()).allMatch(value -> value.length > 20_000);
  }

  @Test
  void a_reader_that_goes_away_lets_the_state_go() throws Exception {
    for (int i = 0; i < 300; i++) {
      put("k" + i, 20_000);
    }
    CompletableFuture<Void> sent = new CompletableFuture<>();
    Executor pool = senders;
    senders = task -> pool.execute(() -> {
      task.run();
      sent.complete(null);
    });
    Reader reader = new Reader();
    MaintenanceGrpc.newStub(rig.serve(service())).snapshot(SnapshotRequest.getDefaultInstance(), reader);
    reader.call.request(1);
    reader.await(1);
    reader.call.cancel("enough", null);
    sent.get(30, TimeUnit.SECONDS);
    assertThat(durations).isEmpty();
  }

  @Test
  void too_many_at_a_time_are_refused() throws Exception {
    senders =
        task -> {
          throw new RejectedExecutionException();
        };
    Iterator<SnapshotResponse> stream = serve().snapshot(SnapshotRequest.getDefaultInstance());
    assertThatThrownBy(stream::hasNext)
        .isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(e.getStatus().getDescription()).isEqualTo(EtcdError.TOO_MANY_REQUESTS.text()));
  }

  @Test
  void a_member_that_stops_says_so() throws Exception {
    Snapshots snapshots = new Snapshots(() -> CompletableFuture.failedFuture(new IllegalStateException("stopping")), senders, durations::add);
    MaintenanceService service =
        new MaintenanceService(rig.kernel, rig.members, new Alarms(), new FakeNode(), new ContentHash(rig.kernel, rig.timer), snapshots, () -> 0);
    Iterator<SnapshotResponse> stream = MaintenanceGrpc.newBlockingStub(rig.serve(service)).snapshot(SnapshotRequest.getDefaultInstance());
    assertThatThrownBy(stream::hasNext)
        .isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
  }

  /** Takes messages only when asked to. */
  private static final class Reader implements ClientResponseObserver<SnapshotRequest, SnapshotResponse> {
    final List<SnapshotResponse> messages = new ArrayList<>();
    final CompletableFuture<Void> ended = new CompletableFuture<>();
    ClientCallStreamObserver<SnapshotRequest> call;

    @Override
    public void beforeStart(ClientCallStreamObserver<SnapshotRequest> stream) {
      call = stream;
      stream.disableAutoRequestWithInitial(0);
    }

    @Override
    public synchronized void onNext(SnapshotResponse message) {
      messages.add(message);
      notifyAll();
    }

    synchronized void await(int count) throws InterruptedException {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
      while (messages.size() < count) {
        assertThat(System.nanoTime()).isLessThan(end);
        wait(100);
      }
    }

    @Override
    public void onError(Throwable failure) {
      ended.completeExceptionally(failure);
    }

    @Override
    public void onCompleted() {
      ended.complete(null);
    }
  }
}
