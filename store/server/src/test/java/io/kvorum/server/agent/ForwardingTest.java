package io.kvorum.server.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.SnapshotRequest;
import io.kvorum.protocol.etcdserverpb.SnapshotResponse;
import java.net.InetSocketAddress;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A long answer through an agent, whose reader takes it when it likes. */
@Timeout(60)
class ForwardingTest {
  private static final int PIECES = 1_500;
  private static final ByteString PIECE = ByteString.copyFrom(new byte[64 << 10]);
  private static final Metadata.Key<String> TRAILER = Metadata.Key.of("own-trailer", Metadata.ASCII_STRING_MARSHALLER);

  private final Member member = new Member();
  private Server server;
  private TestAgent agent;

  /** Sends its pieces as they are taken, and ends with an error and a trailer. */
  private static final class Member extends MaintenanceGrpc.MaintenanceImplBase {
    private final AtomicInteger sent = new AtomicInteger();
    private final CompletableFuture<Void> cancelled = new CompletableFuture<>();

    @Override
    public void snapshot(SnapshotRequest request, StreamObserver<SnapshotResponse> observer) {
      ServerCallStreamObserver<SnapshotResponse> call = (ServerCallStreamObserver<SnapshotResponse>) observer;
      call.setOnCancelHandler(() -> cancelled.complete(null));
      call.setOnReadyHandler(
          () -> {
            while (call.isReady() && sent.get() < PIECES) {
              observer.onNext(SnapshotResponse.newBuilder().setBlob(PIECE).setRemainingBytes(sent.getAndIncrement()).build());
              if (sent.get() == PIECES) {
                Metadata trailers = new Metadata();
                trailers.put(TRAILER, "x");
                observer.onError(Status.DATA_LOSS.withDescription("own words: \u00e4 %").asRuntimeException(trailers));
              }
            }
          });
    }
  }

  @BeforeEach
  void start() throws Exception {
    server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0)).addService(member).build().start();
    agent = new TestAgent("--endpoints=127.0.0.1:" + server.getPort());
  }

  @AfterEach
  void stop() throws Exception {
    agent.close();
    server.shutdownNow();
  }

  private static final class Reader extends ClientCall.Listener<SnapshotResponse> {
    private final AtomicInteger taken = new AtomicInteger();
    private final CompletableFuture<Status> end = new CompletableFuture<>();
    private volatile Metadata trailers;

    @Override
    public void onMessage(SnapshotResponse piece) {
      if (piece.getRemainingBytes() != taken.getAndIncrement()) {
        end.completeExceptionally(new AssertionError("out of order"));
      }
    }

    @Override
    public void onClose(Status status, Metadata last) {
      trailers = last;
      end.complete(status);
    }
  }

  private ClientCall<SnapshotRequest, SnapshotResponse> call(Reader reader) {
    ClientCall<SnapshotRequest, SnapshotResponse> call = agent.channel.newCall(MaintenanceGrpc.getSnapshotMethod(), CallOptions.DEFAULT);
    call.start(reader, new Metadata());
    call.sendMessage(SnapshotRequest.getDefaultInstance());
    call.halfClose();
    return call;
  }

  /** Waits until the member has had nothing to send for a while. */
  private void awaitStandstill() throws InterruptedException {
    int before = -1;
    while (before != member.sent.get() || before == 0) {
      before = member.sent.get();
      Thread.sleep(300);
    }
  }

  @Test
  void what_its_reader_does_not_take_stays_with_the_member() throws Exception {
    Reader reader = new Reader();
    ClientCall<SnapshotRequest, SnapshotResponse> call = call(reader);
    call.request(1);
    awaitStandstill();
    assertThat(member.sent.get() * (long) PIECE.size()).as("bytes under way").isLessThan(24L << 20);
    assertThat(reader.taken).hasValue(1);
    call.request(PIECES);
    Status end = reader.end.get(30, TimeUnit.SECONDS);
    assertThat(reader.taken).hasValue(PIECES);
    assertThat(end.getCode()).isEqualTo(Status.Code.DATA_LOSS);
    assertThat(end.getDescription()).isEqualTo("own words: \u00e4 %");
    assertThat(reader.trailers.get(TRAILER)).isEqualTo("x");
  }

  @Test
  void a_reader_who_goes_away_ends_the_members_call() throws Exception {
    Reader reader = new Reader();
    ClientCall<SnapshotRequest, SnapshotResponse> call = call(reader);
    call.request(1);
    awaitStandstill();
    call.cancel("enough", null);
    member.cancelled.get(30, TimeUnit.SECONDS);
  }
}
