package io.kvorum.server.kv;

import static io.kvorum.server.apply.Requests.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.mvcc.MvccOptions;
import io.kvorum.mvcc.MvccStore;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.RangeStreamResponse;
import io.kvorum.server.front.EventLoops;
import io.kvorum.server.front.GrpcPort;
import io.kvorum.server.front.OutboundBudget;
import io.kvorum.server.front.PortTls;
import io.kvorum.server.metrics.MetricsText;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that ask for much and take nothing, over real connections. */
class AnswerLimitsTest {
  private static final int KEYS = 17;
  private static final int VALUE_BYTES = 1 << 20;
  private static final GrpcPort.Bounds BOUNDS = new GrpcPort.Bounds(2 << 20, 2 << 20, 1_000, 5_000, false, 0, 0, false);
  private static final RangeRequest ALL = RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("k")).setRangeEnd(ByteString.copyFromUtf8("l")).build();

  @TempDir Path directory;

  private final EventLoops loops = EventLoops.single("test");
  private final AtomicLong nanos = new AtomicLong();
  private final List<ManagedChannel> channels = new ArrayList<>();
  private MvccStore store;
  private KvServer server;
  private GrpcPort port;
  private OutboundBudget budget;
  private long answerBytes;

  @BeforeEach
  void fill() throws Exception {
    store = MvccStore.open(directory, new MvccOptions(0, true, MvccOptions.DEFAULT.failPoint()));
    server = new KvServer(store);
    for (int i = 0; i < KEYS; i++) {
      server.kv().put(put("k" + i, "").setValue(ByteString.copyFrom(new byte[VALUE_BYTES])).build());
    }
    server.kv().put(put("small", "v").build());
    answerBytes = server.kv().range(ALL).getSerializedSize();
  }

  @AfterEach
  void stop() throws Exception {
    channels.forEach(ManagedChannel::shutdownNow);
    port.close();
    server.close();
    loops.close();
    store.close();
  }

  private void listen(long totalBytes) throws Exception {
    budget = new OutboundBudget(totalBytes, nanos::get);
    InetSocketAddress any = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    port = GrpcPort.open(any, loops, List.of(server.service), List.of(new AnswerLimits()), null, null, PortTls.NONE, BOUNDS, budget);
    server.indexReads.set(0);
  }

  /** A connection of its own that takes 64 KiB before anybody asks for more. */
  private ManagedChannel connect() {
    ManagedChannel channel = NettyChannelBuilder.forAddress(port.address()).usePlaintext().maxInboundMessageSize(Integer.MAX_VALUE).flowControlWindow(65_535).build();
    channels.add(channel);
    return channel;
  }

  private KVGrpc.KVBlockingStub kv() {
    return KVGrpc.newBlockingStub(connect()).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  /** A call whose answer is only taken when it is asked to. */
  private static final class Slow<R> extends ClientCall.Listener<R> {
    final ClientCall<RangeRequest, R> call;
    final AtomicInteger messages = new AtomicInteger();
    final CompletableFuture<Status> end = new CompletableFuture<>();

    Slow(ManagedChannel channel, MethodDescriptor<RangeRequest, R> method) {
      call = channel.newCall(method, CallOptions.DEFAULT);
      call.start(this, new Metadata());
      call.sendMessage(ALL);
      call.halfClose();
    }

    @Override
    public void onMessage(R message) {
      messages.incrementAndGet();
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      end.complete(status);
    }

    Status take() throws Exception {
      call.request(1_000);
      return end.get(30, TimeUnit.SECONDS);
    }
  }

  private static Slow<RangeResponse> slow(ManagedChannel channel) {
    return new Slow<>(channel, KVGrpc.getRangeMethod());
  }

  private static void await(String what, BooleanSupplier condition) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }

  private long metric(String name) {
    MetricsText page = new MetricsText();
    budget.collect(page);
    return page.toString().lines().filter(line -> line.startsWith(name + " ")).mapToLong(line -> (long) Double.parseDouble(line.substring(name.length() + 1))).sum();
  }

  private void awaitHeld(long bytes) throws InterruptedException {
    await(bytes + " bytes are held", () -> metric("kvorum_client_answers_held_bytes") == bytes);
  }

  private void refused(Runnable call) {
    Status status = catchThrowableOfType(StatusRuntimeException.class, call::run).getStatus();
    assertThat(status.getDescription()).isEqualTo("etcdserver: too many requests");
    assertThat(status.getCode()).isEqualTo(Status.Code.UNKNOWN);
  }

  @Test
  void calls_wait_while_their_connection_has_not_taken_enough_and_others_go_on() throws Exception {
    listen(1L << 30);
    ManagedChannel channel = connect();
    List<Slow<RangeResponse>> calls = new ArrayList<>(List.of(slow(channel), slow(channel)));
    awaitHeld(2 * answerBytes);
    Slow<RangeResponse> withdrawn = slow(channel);
    calls.add(slow(channel));
    calls.add(slow(channel));
    assertThat(kv().range(ALL).getKvsCount()).isEqualTo(KEYS);
    kv().put(put("small", "w").build());
    awaitHeld(2 * answerBytes);
    assertThat(server.indexReads).as("the three that wait have read nothing").hasValue(3);

    withdrawn.call.cancel("not wanted any more", null);
    for (Slow<RangeResponse> call : calls) {
      assertThat(call.take().isOk()).isTrue();
      assertThat(call.messages).hasValue(1);
    }
    awaitHeld(0);
    assertThat(server.indexReads).hasValue(5);
  }

  @Test
  void a_connection_that_ends_gives_everything_back() throws Exception {
    listen(1L << 30);
    ManagedChannel channel = connect();
    for (int i = 0; i < 2; i++) {
      slow(channel);
    }
    awaitHeld(2 * answerBytes);
    slow(channel);
    channel.shutdownNow();
    awaitHeld(0);
    assertThat(server.indexReads).hasValue(2);
  }

  @Test
  void what_does_not_fit_in_all_is_refused_and_who_is_too_slow_is_cut() throws Exception {
    listen(answerBytes + answerBytes / 2);
    Slow<RangeResponse> slow = slow(connect());
    awaitHeld(answerBytes);

    refused(() -> kv().range(ALL));
    assertThat(kv().range(RangeRequest.newBuilder().setKey(ByteString.copyFromUtf8("small")).build()).getCount()).isEqualTo(1);
    kv().put(put("small", "w").build());
    DeleteRangeRequest delete = DeleteRangeRequest.newBuilder().setKey(ALL.getKey()).setRangeEnd(ALL.getRangeEnd()).setPrevKv(true).build();
    assertThat(kv().deleteRange(delete).getPrevKvsCount()).as("it has happened, so it is answered").isEqualTo(KEYS);
    server.kv().put(put("k", "").setValue(ByteString.copyFrom(new byte[VALUE_BYTES])).build());
    awaitHeld(answerBytes);
    assertThat(slow.end).isNotDone();

    nanos.addAndGet(TimeUnit.SECONDS.toNanos(10 + KEYS + 2));
    assertThat(kv().range(ALL).getKvsCount()).as("what fits is answered").isEqualTo(1);
    for (int i = 1; i < KEYS; i++) {
      server.kv().put(put("k" + i, "").setValue(ByteString.copyFrom(new byte[VALUE_BYTES])).build());
    }
    refused(() -> kv().range(ALL));
    awaitHeld(0);
    assertThat(slow.take().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(kv().range(ALL).getKvsCount()).isEqualTo(KEYS);
    assertThat(metric("kvorum_client_slow_connections_closed_total")).isEqualTo(1);
    assertThat(metric("kvorum_client_answers_refused_total")).isEqualTo(2);
  }

  @Test
  void an_answer_that_is_larger_than_all_may_be_comes_when_it_is_the_only_one() throws Exception {
    listen(1 << 20);
    assertThat(kv().range(ALL).getKvsCount()).isEqualTo(KEYS);
    awaitHeld(0);
  }

  @Test
  void a_streamed_range_holds_the_piece_that_is_under_way() throws Exception {
    listen(1L << 30);
    List<Slow<RangeStreamResponse>> streams = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      streams.add(new Slow<>(connect(), KVGrpc.getRangeStreamMethod()));
    }
    await("pieces are held", () -> metric("kvorum_client_answers_held_bytes") >= 5L * VALUE_BYTES);
    assertThat(metric("kvorum_client_answers_held_bytes")).isLessThan(5 * (VALUE_BYTES + 1_000L));
    for (Slow<RangeStreamResponse> stream : streams) {
      assertThat(stream.take().isOk()).isTrue();
      assertThat(stream.messages).hasValue(KEYS);
    }
    awaitHeld(0);
  }
}
