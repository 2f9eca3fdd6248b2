package io.kvorum.server.kv;

import static io.kvorum.server.apply.Requests.range;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesRequest;
import io.kvorum.protocol.etcdserverpb.LeaseLeasesResponse;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.SnapshotRequest;
import io.kvorum.protocol.etcdserverpb.SnapshotResponse;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.kvorum.protocol.etcdserverpb.StatusResponse;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.etcdserverpb.WatchRequest;
import io.kvorum.protocol.etcdserverpb.WatchResponse;
import io.kvorum.raft.Role;
import io.kvorum.server.apply.ModelStore;
import io.kvorum.server.base.EtcdError;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CallRulesTest {
  private final BlockingQueue<String> server = new LinkedBlockingQueue<>();
  private final BlockingQueue<Object> client = new LinkedBlockingQueue<>();
  private volatile StreamObserver<WatchResponse> toClient;
  private KvServer member;

  @BeforeEach
  void start() throws IOException {
    member = new KvServer(new ModelStore(), new Echo().bindService(), new FewMaintenance().bindService(), new NoLeases().bindService());
  }

  @AfterEach
  void stop() {
    member.close();
  }

  /** Answers each watch request, and notes how its stream ends. */
  private final class Echo extends WatchGrpc.WatchImplBase {
    @Override
    public StreamObserver<WatchRequest> watch(StreamObserver<WatchResponse> observer) {
      toClient = observer;
      ((ServerCallStreamObserver<WatchResponse>) observer).setOnCancelHandler(() -> server.add("cancelled"));
      return new StreamObserver<>() {
        @Override
        public void onNext(WatchRequest request) {
          observer.onNext(WatchResponse.newBuilder().setWatchId(1).build());
        }

        @Override
        public void onError(Throwable reason) {
          server.add("failed");
        }

        @Override
        public void onCompleted() {
          server.add("half closed");
          observer.onCompleted();
        }
      };
    }
  }

  private static final class NoLeases extends LeaseGrpc.LeaseImplBase {
    @Override
    public void leaseLeases(LeaseLeasesRequest request, StreamObserver<LeaseLeasesResponse> observer) {
      observer.onNext(LeaseLeasesResponse.getDefaultInstance());
      observer.onCompleted();
    }
  }

  private static final class FewMaintenance extends MaintenanceGrpc.MaintenanceImplBase {
    @Override
    public void status(StatusRequest request, StreamObserver<StatusResponse> observer) {
      observer.onNext(StatusResponse.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    public void snapshot(SnapshotRequest request, StreamObserver<SnapshotResponse> observer) {
      observer.onNext(SnapshotResponse.getDefaultInstance());
      observer.onCompleted();
    }
  }

  private static void assertRefused(Runnable call, EtcdError error) {
    assertThatThrownBy(call::run).isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(EtcdErrors.of(e)).isEqualTo(error));
  }

  private static final class EtcdErrors {
    static EtcdError of(Throwable thrown) {
      StatusRuntimeException e = (StatusRuntimeException) thrown;
      for (EtcdError error : EtcdError.values()) {
        if (error.text().equals(e.getStatus().getDescription()) && error.status().getCode() == e.getStatus().getCode()) {
          return error;
        }
      }
      throw new AssertionError("not an error of etcd's", thrown);
    }
  }

  private static Metadata hasLeader(String value) {
    Metadata headers = new Metadata();
    headers.put(CallRules.HAS_LEADER, value);
    return headers;
  }

  private StreamObserver<WatchRequest> open(Metadata headers) {
    return WatchGrpc.newStub(member.channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .watch(
            new StreamObserver<>() {
              @Override
              public void onNext(WatchResponse response) {
                client.add(response);
              }

              @Override
              public void onError(Throwable reason) {
                client.add(reason);
              }

              @Override
              public void onCompleted() {
                client.add("completed");
              }
            });
  }

  private Object heardByClient() throws InterruptedException {
    Object heard = client.poll(30, TimeUnit.SECONDS);
    assertThat(heard).as("something within thirty seconds").isNotNull();
    return heard;
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("within thirty seconds").isLessThan(deadline);
      Thread.onSpinWait();
    }
  }

  private void loseTheLeader() {
    member.status = KvServer.status(Role.FOLLOWER, 0, List.of(KvServer.MEMBER, 6L), List.of());
  }

  @Test
  void aLearnerAnswersStatusAndSnapshotsAndNothingElse() throws Exception {
    member.status = KvServer.status(Role.FOLLOWER, 6, List.of(6L), List.of(KvServer.MEMBER));
    MaintenanceGrpc.MaintenanceBlockingStub maintenance = MaintenanceGrpc.newBlockingStub(member.channel);
    assertThat(maintenance.status(StatusRequest.getDefaultInstance())).isNotNull();
    assertThat(maintenance.snapshot(SnapshotRequest.getDefaultInstance()).hasNext()).isTrue();
    assertRefused(() -> LeaseGrpc.newBlockingStub(member.channel).leaseLeases(LeaseLeasesRequest.getDefaultInstance()), EtcdError.NOT_SUPPORTED_FOR_LEARNER);
    open(new Metadata());
    assertThat(EtcdErrors.of((Throwable) heardByClient())).isEqualTo(EtcdError.NOT_SUPPORTED_FOR_LEARNER);
  }

  @Test
  void hasLeaderRefusesUnaryCallsWhenThereIsNone() {
    loseTheLeader();
    var demanding = member.kv().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(hasLeader("true")));
    assertRefused(() -> demanding.range(range("a").setSerializable(true).build()), EtcdError.NO_LEADER);
    assertThat(member.kv().withInterceptors(MetadataUtils.newAttachHeadersInterceptor(hasLeader("false"))).range(range("a").build()).getCount()).isZero();
    assertThat(member.kv().range(range("a").setSerializable(true).build()).getCount()).isZero();
  }

  /** gRPC's own client sends ASCII alone, so the rule is asked directly. */
  @Test
  void aClientApiVersionMustBeUtf8() {
    assertThat(closedWith(new byte[] {'3', (byte) 0xc3})).isSameAs(EtcdError.INVALID_CLIENT_API_VERSION.status());
    assertThat(closedWith("3.6.16-\u00fc".getBytes(StandardCharsets.UTF_8))).isNull();
  }

  private Status closedWith(byte[] version) {
    Metadata headers = InternalMetadata.newMetadata("client-api-version".getBytes(StandardCharsets.US_ASCII), version);
    AtomicReference<Status> closed = new AtomicReference<>();
    ServerCall<RangeRequest, RangeResponse> call =
        new NoopServerCall<>() {
          @Override
          public void close(Status status, Metadata trailers) {
            closed.set(status);
          }

          @Override
          public MethodDescriptor<RangeRequest, RangeResponse> getMethodDescriptor() {
            return KVGrpc.getRangeMethod();
          }
        };
    new CallRules(() -> member.status, member.streams).interceptCall(call, headers, (started, metadata) -> new ServerCall.Listener<>() {});
    return closed.get();
  }

  private abstract static class NoopServerCall<Q, R> extends ServerCall<Q, R> {
    @Override
    public void request(int numMessages) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(R message) {}

    @Override
    public boolean isCancelled() {
      return false;
    }
  }

  @Test
  void aStreamThatWantsALeaderIsRefusedAtItsStartWhenThereIsNone() throws Exception {
    loseTheLeader();
    open(hasLeader("true"));
    assertThat(EtcdErrors.of((Throwable) heardByClient())).isEqualTo(EtcdError.NO_LEADER);
    assertThat(server).isEmpty();
  }

  @Test
  void aStreamThatWantsALeaderEndsAfterThreeElectionTimeoutsWithoutOne() throws Exception {
    StreamObserver<WatchRequest> stream = open(hasLeader("true"));
    stream.onNext(WatchRequest.getDefaultInstance());
    assertThat(heardByClient()).isInstanceOf(WatchResponse.class);
    loseTheLeader();
    member.streams.look();
    member.streams.look();
    stream.onNext(WatchRequest.getDefaultInstance());
    assertThat(heardByClient()).as("it still works").isInstanceOf(WatchResponse.class);
    member.streams.look();
    assertThat(EtcdErrors.of((Throwable) heardByClient())).isEqualTo(EtcdError.NO_LEADER);
    await(() -> server.size() >= 2);
    toClient.onNext(WatchResponse.getDefaultInstance());
    assertThat(member.streams.size()).isZero();
    assertThat(server).as("its service was told once, as of any cancelled call").containsExactly("cancelled", "failed");
  }

  @Test
  void aLeaderThatComesBackInTimeSavesTheStream() throws Exception {
    StreamObserver<WatchRequest> stream = open(hasLeader("true"));
    stream.onNext(WatchRequest.getDefaultInstance());
    heardByClient();
    loseTheLeader();
    member.streams.look();
    member.streams.look();
    member.status = KvServer.status(Role.FOLLOWER, 6, List.of(KvServer.MEMBER, 6L), List.of());
    member.streams.look();
    loseTheLeader();
    member.streams.look();
    member.streams.look();
    stream.onNext(WatchRequest.getDefaultInstance());
    assertThat(heardByClient()).isInstanceOf(WatchResponse.class);
  }

  @Test
  void streamsThatDoNotAskGoQuietAndStay() throws Exception {
    StreamObserver<WatchRequest> stream = open(new Metadata());
    stream.onNext(WatchRequest.getDefaultInstance());
    heardByClient();
    loseTheLeader();
    for (int i = 0; i < 5; i++) {
      member.streams.look();
    }
    stream.onNext(WatchRequest.getDefaultInstance());
    assertThat(heardByClient()).isInstanceOf(WatchResponse.class);
  }

  @Test
  void endedStreamsAreForgotten() throws Exception {
    StreamObserver<WatchRequest> completed = open(hasLeader("true"));
    completed.onCompleted();
    assertThat(heardByClient()).isEqualTo("completed");
    StreamObserver<WatchRequest> cancelled = open(hasLeader("true"));
    cancelled.onNext(WatchRequest.getDefaultInstance());
    heardByClient();
    cancelled.onError(new IllegalStateException("given up"));
    await(() -> member.streams.size() == 0);
    await(() -> server.contains("cancelled"));
    assertThat(server).contains("half closed");
  }
}
