package io.kvorum.server.watch;

import static io.kvorum.server.watch.CoreRig.on;
import static io.kvorum.server.watch.CoreRig.put;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.mvcc.WriteTxn;
import io.kvorum.protocol.etcdserverpb.ResponseHeader;
import io.kvorum.protocol.etcdserverpb.WatchCancelRequest;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchProgressRequest;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.server.base.EtcdError;
import io.kvorum.server.base.Limits;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The service over real connections and the real store. */
class WatchServiceTest {
  private static final Limits LIMITS = new Limits(1_572_864, 128, 100, 1_000, 0, 600_000);

  @TempDir Path directory;
  private MvccStore store;
  private WatchHub hub;
  private Server server;
  private ManagedChannel channel;
  private volatile Status guard = Status.OK;

  @BeforeEach
  void start() throws Exception {
    store = MvccStore.open(directory, MvccOptions.DEFAULT);
    hub =
        new WatchHub(
            store, r -> ResponseHeader.newBuilder().setClusterId(7).setMemberId(8).setRevision(r).build(), LIMITS, System::nanoTime, new Random(1));
    hub.start();
    WatchService service = new WatchService(hub, request -> guard);
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)).directExecutor().addService(service).build().start();
    channel =
        NettyChannelBuilder.forAddress(InetAddress.getLoopbackAddress().getHostAddress(), server.getPort())
            .usePlaintext()
            .maxInboundMessageSize(64 << 20)
            .build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    hub.close();
    server.shutdownNow();
    store.close();
  }

  /** One client stream; takes responses by itself, or one at a time when asked. */
  private final class Client implements ClientResponseObserver<WatchRequest, WatchResponse> {
    final BlockingQueue<Object> heard = new LinkedBlockingQueue<>();
    final boolean slow;
    ClientCallStreamObserver<WatchRequest> requests;

    Client(boolean slow) {
      this.slow = slow;
      WatchGrpc.newStub(channel).watch(this);
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<WatchRequest> stream) {
      requests = stream;
      if (slow) {
        stream.disableAutoRequestWithInitial(1);
      }
    }

    @Override
    public void onNext(WatchResponse response) {
      heard.add(response);
    }

    @Override
    public void onError(Throwable failure) {
      heard.add(Status.fromThrowable(failure));
    }

    @Override
    public void onCompleted() {
      heard.add("completed");
    }

    void create(WatchCreateRequest.Builder create) {
      requests.onNext(WatchRequest.newBuilder().setCreateRequest(create).build());
    }

    WatchResponse next() throws InterruptedException {
      if (slow) {
        requests.request(1);
      }
      Object next = heard.poll(20, TimeUnit.SECONDS);
      assertThat(next).isInstanceOf(WatchResponse.class);
      return (WatchResponse) next;
    }

    Status end() throws InterruptedException {
      Object next = heard.poll(20, TimeUnit.SECONDS);
      assertThat(next).isInstanceOf(Status.class);
      return (Status) next;
    }
  }

  /** Applies one transaction as the raft thread would. */
  private synchronized long write(CoreRig.Op... ops) {
    WriteTxn txn = store.begin();
    for (CoreRig.Op op : ops) {
      op.run(txn);
    }
    var changes = txn.end();
    store.publish();
    hub.published(store.revision(), changes);
    return store.revision();
  }

  private void awaitWatchers(int count) {
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (hub.watchers() != count) {
      assertThat(System.nanoTime()).isLessThan(until);
      Thread.onSpinWait();
    }
  }

  @Test
  void watchesCancelsAndGoesOnAfterHalfClose() throws Exception {
    Client client = new Client(false);
    client.requests.onNext(WatchRequest.getDefaultInstance());
    client.create(on("a", "z"));
    assertThat(client.next().getCreated()).isTrue();
    write(put("a", "1"), put("b", "2"));
    WatchResponse response = client.next();
    assertThat(response.getEventsCount()).isEqualTo(2);
    assertThat(response.getEvents(1).getKv().getValue().toStringUtf8()).isEqualTo("2");
    assertThat(response.getHeader().getMemberId()).isEqualTo(8);
    client.create(on("c").setWatchId(9));
    assertThat(client.next().getWatchId()).isEqualTo(9);
    client.requests.onNext(WatchRequest.newBuilder().setCancelRequest(WatchCancelRequest.newBuilder().setWatchId(9)).build());
    assertThat(client.next().getCanceled()).isTrue();
    client.requests.onNext(WatchRequest.newBuilder().setProgressRequest(WatchProgressRequest.getDefaultInstance()).build());
    assertThat(client.next().getHeader().getRevision()).isEqualTo(2);
    client.requests.onCompleted();
    write(put("a", "2"));
    assertThat(client.next().getEvents(0).getKv().getModRevision()).isEqualTo(3);
    client.requests.cancel("done", null);
    awaitWatchers(0);
  }

  @Test
  void progressRequestsNeverOvertakeTheCreatedReply() throws Exception {
    Client client = new Client(false);
    for (int i = 0; i < 200; i++) {
      client.create(on("k" + i));
      client.requests.onNext(WatchRequest.newBuilder().setProgressRequest(WatchProgressRequest.getDefaultInstance()).build());
    }
    for (int i = 0; i < 200; i++) {
      assertThat(client.next().getCreated()).isTrue();
      assertThat(client.next().getWatchId()).isEqualTo(-1);
    }
  }

  @Test
  void refusalIsPrintedAsEtcdPrintsIt() throws Exception {
    Client client = new Client(false);
    guard = EtcdError.PERMISSION_DENIED.status();
    client.create(on("a"));
    assertThat(client.next().getCancelReason()).isEqualTo("rpc error: code = PermissionDenied desc = etcdserver: permission denied");
    guard = EtcdError.INVALID_AUTH_TOKEN.status();
    client.create(on("a"));
    assertThat(client.next().getCancelReason()).isEqualTo("rpc error: code = Unauthenticated desc = etcdserver: invalid auth token");
    guard = EtcdError.USER_NAME_IS_EMPTY.status();
    client.create(on("a"));
    assertThat(client.next().getCancelReason()).isEqualTo("rpc error: code = InvalidArgument desc = etcdserver: user name is empty");
    guard = Status.OK;
    client.create(on("a"));
    assertThat(client.next().getCanceled()).isFalse();
  }

  @Test
  void stoppingEndsStreamsSoThatClientsResumeElsewhere() throws Exception {
    Client client = new Client(false);
    client.create(on("a"));
    client.next();
    hub.close();
    Status status = client.end();
    assertThat(status.getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(status.getDescription()).isEqualTo("etcdserver: server stopped");
    assertThat(new Client(false).end().getDescription()).isEqualTo("etcdserver: server stopped");
  }

  @Test
  void aSlowClientGetsEverythingWhileOthersAreNotHeldUp() throws Exception {
    Client slow = new Client(true);
    Client fast = new Client(false);
    slow.create(on("a").setPrevKv(true));
    fast.create(on("a"));
    assertThat(slow.heard.poll(20, TimeUnit.SECONDS)).isNotNull();
    fast.next();
    int writes = 400;
    for (int i = 0; i < writes; i++) {
      write(put("a", i + "x".repeat(20_000)));
    }
    for (long expected = 2; expected < writes + 2; ) {
      for (var event : fast.next().getEventsList()) {
        assertThat(event.getKv().getModRevision()).isEqualTo(expected++);
      }
    }
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (hub.slowWatchers() == 0) {
      assertThat(System.nanoTime()).as("8 MB do not fit into the stream's bound, so it is behind").isLessThan(until);
      Thread.onSpinWait();
    }
    List<Long> revisions = new ArrayList<>();
    while (revisions.size() < writes) {
      for (var event : slow.next().getEventsList()) {
        revisions.add(event.getKv().getModRevision());
        assertThat(event.hasPrevKv()).isEqualTo(event.getKv().getModRevision() > 2);
      }
    }
    assertThat(revisions).isEqualTo(IntStream.range(2, writes + 2).mapToObj(Long::valueOf).toList());
  }

  @Test
  void historyFromTheRealStoreJoinsOnToLiveEvents() throws Exception {
    for (int i = 0; i < 3_000; i++) {
      write(put("a" + i % 7, "v" + i));
    }
    Client client = new Client(false);
    Thread writer =
        Thread.ofPlatform()
            .start(
                () -> {
                  for (int i = 0; i < 3_000; i++) {
                    write(put("a" + i % 7, "w" + i), put("b", "y"));
                  }
                });
    client.create(on("a", "b").setStartRevision(500));
    assertThat(client.next().getCreated()).isTrue();
    long expected = 500;
    while (expected <= 6_001) {
      WatchResponse response = client.next();
      for (var event : response.getEventsList()) {
        assertThat(event.getKv().getModRevision()).isEqualTo(expected++);
      }
    }
    writer.join();
    store.compact(5_000);
    store.publish();
    hub.compacted(5_000);
    client.create(on("a", "b").setStartRevision(4_999));
    client.next();
    assertThat(client.next().getCompactRevision()).isEqualTo(5_000);
  }
}
