package io.kvorum.server.process.training;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.ClusterGrpc;
import io.kvorum.protocol.etcdserverpb.CompactionRequest;
import io.kvorum.protocol.etcdserverpb.Compare;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeResponse;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrantRequest;
import io.kvorum.protocol.etcdserverpb.LeaseGrantResponse;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveRequest;
import io.kvorum.protocol.etcdserverpb.LeaseKeepAliveResponse;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeRequest;
import io.kvorum.protocol.etcdserverpb.LeaseRevokeResponse;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.MemberListRequest;
import io.kvorum.protocol.etcdserverpb.MemberListResponse;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.PutResponse;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.TxnResponse;
import io.kvorum.protocol.etcdserverpb.WatchCreateRequest;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/** The load of a training run: what clients do most, often enough to be worth compiling, each kind for a bounded number of calls and a bounded time. */
final class TrainingLoad implements AutoCloseable {
  private static final int IN_FLIGHT = 64;
  private static final int KEYS = 5_000;
  private static final int PUTS = 60_000;
  private static final int READS = 25_000;
  private static final int PAGES = 300;
  private static final int OTHERS = 3_000;
  private static final int GATEWAY_CALLS = 100;
  private static final int WATCHERS = 20;
  private static final long READY_SECONDS = 60;
  private static final long PHASE_SECONDS = 6;

  private final int port;
  private final ManagedChannel channel;
  private final ByteString value = ByteString.copyFrom(new byte[256]);

  TrainingLoad(int port) {
    this.port = port;
    this.channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
  }

  void run() throws InterruptedException, IOException {
    awaitLeader();
    http("/health");
    StreamObserver<WatchRequest> watch = watch();
    KVGrpc.KVStub kv = KVGrpc.newStub(channel);
    this.<PutResponse>many(PUTS, (i, done) -> kv.put(PutRequest.newBuilder().setKey(key(i % KEYS)).setValue(value).build(), done));
    this.<RangeResponse>many(READS, (i, done) -> kv.range(RangeRequest.newBuilder().setKey(key(i % KEYS)).build(), done));
    this.<RangeResponse>many(READS, (i, done) -> kv.range(RangeRequest.newBuilder().setKey(key(i % KEYS)).setSerializable(true).build(), done));
    this.<RangeResponse>many(PAGES, (i, done) -> kv.range(RangeRequest.newBuilder().setKey(key(0)).setRangeEnd(key(KEYS)).setLimit(1_000).build(), done));
    this.<TxnResponse>many(OTHERS, (i, done) -> kv.txn(txn(i), done));
    this.<DeleteRangeResponse>many(OTHERS, (i, done) -> kv.deleteRange(DeleteRangeRequest.newBuilder().setKey(key(i % KEYS)).build(), done));
    leases();
    kv.compact(CompactionRequest.newBuilder().setRevision(PUTS / 2).build(), new Ignoring<>());
    this.<MemberListResponse>many(10, (i, done) -> ClusterGrpc.newStub(channel).memberList(MemberListRequest.newBuilder().setLinearizable(true).build(), done));
    for (String path : new String[] {"/metrics", "/version", "/livez", "/readyz?verbose", "/debug/vars", "/none"}) {
      http(path);
    }
    for (int i = 0; i < GATEWAY_CALLS; i++) {
      post("/v3/kv/put", "{\"key\":\"YQ==\",\"value\":\"Yg==\"}");
      post("/v3/kv/range", "{\"key\":\"YQ==\"}");
    }
    watch.onCompleted();
  }

  private ByteString key(int i) {
    return ByteString.copyFromUtf8(String.format("/registry/training/%08d", i));
  }

  private void awaitLeader() throws InterruptedException {
    MaintenanceGrpc.MaintenanceBlockingStub maintenance = MaintenanceGrpc.newBlockingStub(channel);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(READY_SECONDS);
    while (System.nanoTime() < deadline) {
      try {
        if (maintenance.withDeadlineAfter(1, TimeUnit.SECONDS).status(StatusRequest.getDefaultInstance()).getLeader() != 0) {
          return;
        }
      } catch (StatusRuntimeException notYet) {
        channel.resetConnectBackoff();
      }
      Thread.sleep(50);
    }
    throw new IllegalStateException("the server of the training run does not serve");
  }

  private TxnRequest txn(int i) {
    ByteString key = key(i % KEYS);
    return TxnRequest.newBuilder()
        .addCompare(Compare.newBuilder().setKey(key).setTarget(Compare.CompareTarget.VERSION).setResult(Compare.CompareResult.GREATER).setVersion(0))
        .addSuccess(RequestOp.newBuilder().setRequestPut(PutRequest.newBuilder().setKey(key).setValue(value).setPrevKv(true)))
        .addSuccess(RequestOp.newBuilder().setRequestRange(RangeRequest.newBuilder().setKey(key)))
        .addFailure(RequestOp.newBuilder().setRequestDeleteRange(DeleteRangeRequest.newBuilder().setKey(key)))
        .build();
  }

  private StreamObserver<WatchRequest> watch() {
    StreamObserver<WatchRequest> watch = WatchGrpc.newStub(channel).watch(new Ignoring<WatchResponse>());
    for (int i = 0; i < WATCHERS; i++) {
      WatchCreateRequest.Builder create = WatchCreateRequest.newBuilder().setKey(key(i * 10));
      if (i % 2 == 0) {
        create.setRangeEnd(key(i * 10 + 10)).setPrevKv(true);
      }
      watch.onNext(WatchRequest.newBuilder().setCreateRequest(create).build());
    }
    return watch;
  }

  private void leases() throws InterruptedException {
    LeaseGrpc.LeaseStub leases = LeaseGrpc.newStub(channel);
    this.<LeaseGrantResponse>many(OTHERS, (i, done) -> leases.leaseGrant(LeaseGrantRequest.newBuilder().setID(i + 1).setTTL(60).build(), done));
    Semaphore answers = new Semaphore(0);
    StreamObserver<LeaseKeepAliveRequest> renewals =
        leases.leaseKeepAlive(
            new Ignoring<LeaseKeepAliveResponse>() {
              @Override
              public void onNext(LeaseKeepAliveResponse renewed) {
                answers.release();
              }
            });
    for (int i = 0; i < 2 * OTHERS; i++) {
      renewals.onNext(LeaseKeepAliveRequest.newBuilder().setID(i % OTHERS + 1).build());
    }
    answers.tryAcquire(2 * OTHERS, PHASE_SECONDS, TimeUnit.SECONDS);
    renewals.onCompleted();
    this.<LeaseRevokeResponse>many(OTHERS, (i, done) -> leases.leaseRevoke(LeaseRevokeRequest.newBuilder().setID(i + 1).build(), done));
  }

  /** Calls {@code call} {@code times} times with a bounded number under way, but no longer than a phase may last. */
  private <T> void many(int times, BiConsumer<Integer, StreamObserver<T>> call) throws InterruptedException {
    Semaphore room = new Semaphore(IN_FLIGHT);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PHASE_SECONDS);
    for (int i = 0; i < times && System.nanoTime() < deadline; i++) {
      room.acquire();
      call.accept(
          i,
          new Ignoring<T>() {
            @Override
            public void onError(Throwable refused) {
              room.release();
            }

            @Override
            public void onCompleted() {
              room.release();
            }
          });
    }
    room.tryAcquire(IN_FLIGHT, PHASE_SECONDS, TimeUnit.SECONDS);
  }

  private void http(String path) throws IOException {
    send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  }

  private void post(String path, String body) throws IOException {
    send("POST " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
  }

  private void send(String request) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout((int) TimeUnit.SECONDS.toMillis(PHASE_SECONDS));
      socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
      socket.getInputStream().readAllBytes();
    }
  }

  @Override
  public void close() throws InterruptedException {
    channel.shutdownNow().awaitTermination(PHASE_SECONDS, TimeUnit.SECONDS);
  }

  private static class Ignoring<T> implements StreamObserver<T> {
    @Override
    public void onNext(T answer) {
      // Only the server's work counts.
    }

    @Override
    public void onError(Throwable refused) {
      // As above.
    }

    @Override
    public void onCompleted() {
      // As above.
    }
  }
}
