package io.kvorum.server.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.DeleteRangeRequest;
import io.kvorum.protocol.etcdserverpb.DeleteRangeResponse;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.PutRequest;
import io.kvorum.protocol.etcdserverpb.PutResponse;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.protocol.etcdserverpb.RequestOp;
import io.kvorum.protocol.etcdserverpb.TxnRequest;
import io.kvorum.protocol.etcdserverpb.TxnResponse;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class GrpcPortTest {
  private static final int MESSAGE_BYTES = 1 << 20;

  private static final MethodDescriptor.Marshaller<byte[]> BYTES =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
          return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
          throw new UnsupportedOperationException();
        }
      };

  private static final GrpcPort.Bounds BOUNDS = new GrpcPort.Bounds(MESSAGE_BYTES, MESSAGE_BYTES, 1_000, 5_000, false, 0, 0, false);

  private final EventLoops loops = EventLoops.single("test");
  private GrpcPort port;
  private HttpPort httpOnly;
  private ManagedChannel channel;

  private static final class Echo extends KVGrpc.KVImplBase {
    @Override
    public void deleteRange(DeleteRangeRequest request, StreamObserver<DeleteRangeResponse> answer) {
      // Never answered.
    }

    @Override
    public void range(RangeRequest request, StreamObserver<RangeResponse> answer) {
      answer.onNext(RangeResponse.newBuilder().setCount(request.getKey().size()).build());
      answer.onCompleted();
    }

    @Override
    public void txn(TxnRequest request, StreamObserver<TxnResponse> answer) {
      answer.onNext(TxnResponse.newBuilder().setSucceeded(true).build());
      answer.onCompleted();
    }

    @Override
    public void put(PutRequest request, StreamObserver<PutResponse> answer) {
      answer.onNext(PutResponse.getDefaultInstance());
      answer.onCompleted();
    }
  }

  private static HttpHandler http() {
    HttpRoutes routes = new HttpRoutes();
    routes.route("/any", (request, responder) -> responder.respond(HttpResponse.ok(HttpResponse.PLAIN, "anything")));
    routes.get("/hello", request -> HttpResponse.ok(HttpResponse.PLAIN, "hello " + request.parameter("who")));
    routes.route("/later", (request, responder) -> Thread.startVirtualThread(() -> responder.respond(HttpResponse.ok(HttpResponse.PLAIN, "later"))));
    routes.route("/never", (request, responder) -> {});
    routes.route(
        "/fails",
        (request, responder) -> {
          throw new IllegalStateException("why");
        });
    routes.route("/body", (request, responder) -> responder.respond(HttpResponse.ok(HttpResponse.PLAIN, Integer.toString(request.body().length))));
    return new AccessRules(List.of("*"), List.of("*"), routes);
  }

  private static InetSocketAddress anyPort() {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
  }

  @BeforeEach
  void open() throws IOException {
    port = GrpcPort.open(anyPort(), loops, List.of(new Echo().bindService()), List.of(), http(), PortTls.NONE, BOUNDS);
    httpOnly = HttpPort.open(anyPort(), loops, http(), PortTls.NONE, MESSAGE_BYTES);
    channel = NettyChannelBuilder.forAddress(port.address()).usePlaintext().build();
  }

  @AfterEach
  void close() throws InterruptedException {
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    port.close();
    httpOnly.close();
    loops.close();
  }

  private long count(int keyBytes) {
    RangeRequest request = RangeRequest.newBuilder().setKey(ByteString.copyFrom(new byte[keyBytes])).build();
    return KVGrpc.newBlockingStub(channel).withDeadlineAfter(10, TimeUnit.SECONDS).range(request).getCount();
  }

  private Socket connect(InetSocketAddress address) throws IOException {
    Socket socket = new Socket(address.getAddress(), address.getPort());
    socket.setSoTimeout(10_000);
    socket.setTcpNoDelay(true);
    return socket;
  }

  private static void send(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
    socket.getOutputStream().flush();
  }

  private static String readAll(Socket socket) throws IOException {
    try {
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    } catch (SocketException e) {
      return "";
    }
  }

  /** Sends and reads until the server closes. */
  private String exchange(InetSocketAddress address, String text) throws IOException {
    try (Socket socket = connect(address)) {
      send(socket, text);
      return readAll(socket);
    }
  }

  private static String get(String path) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  }

  @Test
  void one_port_answers_grpc_and_http_side_by_side() throws IOException {
    assertThat(count(7)).isEqualTo(7);
    assertThat(exchange(port.address(), get("/hello?who=a%20b"))).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n\r\nhello a b").contains("Access-Control-Allow-Origin: *");
    assertThat(count(8)).isEqualTo(8);
    assertThat(exchange(httpOnly.address(), get("/hello"))).endsWith("hello ");
  }

  @Test
  void requests_sent_ahead_are_answered_in_order_though_one_takes_longer() throws IOException {
    String keep = "GET /later HTTP/1.1\r\nHost: a\r\n\r\nGET /hello?who=1 HTTP/1.1\r\nHost: a\r\n\r\n";
    String answers = exchange(port.address(), keep + get("/hello?who=2"));
    assertThat(answers).containsSubsequence("later", "hello 1", "hello 2");
  }

  @Test
  void large_requests_ahead_of_their_answers_are_not_kept() throws IOException {
    String unanswered = "GET /never HTTP/1.1\r\nHost: a\r\n\r\n";
    String large = "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + " ".repeat(300_000);
    assertThat(exchange(port.address(), unanswered + large)).isEmpty();
  }

  @Test
  void a_request_that_is_no_message_is_refused_with_the_reason() {
    MethodDescriptor<byte[], RangeResponse> range = KVGrpc.getRangeMethod().toBuilder(BYTES, KVGrpc.getRangeMethod().getResponseMarshaller()).build();
    assertThatThrownBy(() -> ClientCalls.blockingUnaryCall(channel, range, CallOptions.DEFAULT, new byte[] {10, 100, 1}))
        .isInstanceOfSatisfying(StatusRuntimeException.class, e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL))
        .hasMessageStartingWith("INTERNAL: grpc: error unmarshalling request: ");
    assertThat(count(3)).isEqualTo(3);
  }

  @Test
  void transactions_may_be_nested_as_deep_as_their_bound_allows() {
    TxnRequest txn = TxnRequest.getDefaultInstance();
    for (int depth = 0; depth < 128; depth++) {
      txn = TxnRequest.newBuilder().addSuccess(RequestOp.newBuilder().setRequestTxn(txn)).build();
    }
    assertThat(KVGrpc.newBlockingStub(channel).txn(txn).getSucceeded()).isTrue();
  }

  @Test
  void a_preface_that_dribbles_in_is_understood() throws IOException {
    try (Socket socket = connect(port.address())) {
      for (char c : "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".toCharArray()) {
        send(socket, String.valueOf(c));
      }
      socket.getOutputStream().write(new byte[] {0, 0, 0, 4, 0, 0, 0, 0, 0});
      byte[] frame = socket.getInputStream().readNBytes(4);
      assertThat(frame[3]).as("type of the first frame: settings").isEqualTo((byte) 4);
    }
  }

  @Test
  void a_request_that_dribbles_in_byte_by_byte_is_understood() throws IOException {
    try (Socket socket = connect(port.address())) {
      for (char c : get("/hello?who=slow").toCharArray()) {
        send(socket, String.valueOf(c));
      }
      assertThat(readAll(socket)).endsWith("hello slow");
    }
    try (Socket socket = connect(port.address())) {
      send(socket, "P");
      send(socket, "OST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
      assertThat(readAll(socket)).endsWith("3");
    }
  }

  @Test
  void what_is_neither_protocol_is_answered_with_400_or_closed_and_hurts_nobody() throws IOException {
    assertThat(exchange(port.address(), "\u0016\u0003\u0001\u0002\u0000\u0001 what is this\r\n\r\n")).matches(text -> text.isEmpty() || text.startsWith("HTTP/1.1 400"));
    assertThat(exchange(port.address(), "PRI nonsense that is no preface at all................\r\n\r\n")).doesNotContain("hello");
    assertThat(exchange(port.address(), "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n")).startsWith("HTTP/1.1 400");
    assertThat(exchange(port.address(), get("/fails"))).startsWith("HTTP/1.1 500");
    assertThat(exchange(port.address(), get("/nothing-here"))).startsWith("HTTP/1.1 404").endsWith("404 page not found\n");
    assertThat(count(3)).isEqualTo(3);
  }

  @Test
  void connections_that_say_nothing_or_stop_half_way_hold_nobody_up_and_are_cut_when_the_port_closes() throws IOException {
    try (Socket silent = connect(port.address());
        Socket half = connect(port.address());
        Socket halfPreface = connect(port.address())) {
      send(half, "GET /hel");
      send(halfPreface, "PR");
      assertThat(count(5)).isEqualTo(5);
      assertThat(exchange(port.address(), get("/hello"))).endsWith("hello ");
      port.close(200);
      assertThat(readAll(silent)).isEmpty();
      assertThat(readAll(half)).isEmpty();
      assertThat(readAll(halfPreface)).isEmpty();
    }
  }

  @Test
  void bodies_and_messages_are_bounded() throws IOException {
    String head = "POST /body HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ";
    assertThat(exchange(port.address(), head + (MESSAGE_BYTES + 1) + "\r\n\r\n")).startsWith("HTTP/1.1 413");
    // Four bytes are the key's tag and length.
    refused(() -> count(MESSAGE_BYTES - 3), Status.Code.RESOURCE_EXHAUSTED, "grpc: received message larger than max (1048577 vs. 1048576)");
    refused(() -> count(4 * MESSAGE_BYTES), Status.Code.RESOURCE_EXHAUSTED, "grpc: received message larger than max (4194309 vs. 1048576)");
    RangeRequest large = RangeRequest.newBuilder().setKey(ByteString.copyFrom(new byte[MESSAGE_BYTES])).build();
    refused(
        () -> KVGrpc.newBlockingStub(channel).withCompression("gzip").range(large), Status.Code.RESOURCE_EXHAUSTED,
        "grpc: received message after decompression larger than max 1048576");
    assertThat(count(MESSAGE_BYTES - 100)).isEqualTo(MESSAGE_BYTES - 100);
  }

  @Test
  void options_head_and_keep_alive() throws IOException {
    assertThat(exchange(port.address(), "OPTIONS /v3/kv/put HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 200 OK")
        .contains("Access-Control-Allow-Methods: POST, GET, OPTIONS, PUT, DELETE");
    String head = exchange(port.address(), "HEAD /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assertThat(head).startsWith("HTTP/1.1 405 ").contains("Allow: GET").doesNotContain("Method Not Allowed\n");
    head = exchange(port.address(), "HEAD /any HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    assertThat(head).startsWith("HTTP/1.1 200 OK").contains("content-length: 8").doesNotContain("anything");
    try (Socket socket = connect(port.address())) {
      for (int i = 0; i < 3; i++) {
        send(socket, "GET /hello?who=" + i + " HTTP/1.1\r\nHost: a\r\n\r\n");
        readUntil(socket.getInputStream(), "hello " + i);
      }
    }
  }

  private static void readUntil(InputStream in, String text) throws IOException {
    StringBuilder seen = new StringBuilder();
    while (!seen.toString().contains(text)) {
      int next = in.read();
      assertThat(next).as("closed after " + seen).isNotNegative();
      seen.append((char) next);
    }
  }

  @Test
  void a_grpc_only_port_does_not_speak_http() throws IOException {
    GrpcPort only = GrpcPort.open(anyPort(), loops, List.of(new Echo().bindService()), List.of(), null, PortTls.NONE, BOUNDS);
    try {
      assertThat(exchange(only.address(), get("/hello"))).isEmpty();
    } finally {
      only.close();
    }
  }

  @Test
  void a_taken_port_is_named() {
    assertThatThrownBy(() -> GrpcPort.open(port.address(), loops, List.of(), List.of(), null, PortTls.NONE, BOUNDS))
        .isInstanceOf(BindException.class)
        .hasMessage("listen tcp 127.0.0.1:" + port.address().getPort() + ": bind: address already in use");
    assertThatThrownBy(() -> HttpPort.open(port.address(), loops, http(), PortTls.NONE, 1)).isInstanceOf(BindException.class).hasMessageContaining("address already in use");
  }

  private static void refused(Runnable call, Status.Code code, String text) {
    Status status = catchThrowableOfType(StatusRuntimeException.class, call::run).getStatus();
    assertThat(status.getDescription()).isEqualTo(text);
    assertThat(status.getCode()).isEqualTo(code);
  }

  private void call(String name) {
    MethodDescriptor<RangeRequest, RangeResponse> method = KVGrpc.getRangeMethod().toBuilder().setFullMethodName(name).build();
    ClientCalls.blockingUnaryCall(channel, method, CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS), RangeRequest.getDefaultInstance());
  }

  /** As grpc-go says it; interceptors, which ask for permission, are for methods that there are. */
  @Test
  void methods_that_there_are_not() throws IOException {
    ServerInterceptor closed =
        new ServerInterceptor() {
          @Override
          public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> called, Metadata headers, ServerCallHandler<Q, A> next) {
            called.close(Status.PERMISSION_DENIED, new Metadata());
            return new ServerCall.Listener<>() {};
          }
        };
    port.close();
    port = GrpcPort.open(anyPort(), loops, List.of(new Echo().bindService()), List.of(closed), http(), PortTls.NONE, BOUNDS);
    channel.shutdownNow();
    channel = NettyChannelBuilder.forAddress(port.address()).usePlaintext().build();
    refused(() -> call("etcdserverpb.KV/None"), Status.Code.UNIMPLEMENTED, "unknown method None for service etcdserverpb.KV");
    refused(() -> call("none.None/None"), Status.Code.UNIMPLEMENTED, "unknown service none.None");
    refused(() -> call("a/b/c"), Status.Code.UNIMPLEMENTED, "unknown service a/b");
    refused(() -> call("none"), Status.Code.UNIMPLEMENTED, "malformed method name: \"/none\"");
    assertThat(catchThrowableOfType(StatusRuntimeException.class, () -> count(1)).getStatus().getCode()).isEqualTo(Status.Code.PERMISSION_DENIED);
  }

  @Test
  void callsThatOutliveTheGraceEndAsUnavailable() {
    var never = KVGrpc.newFutureStub(channel).deleteRange(DeleteRangeRequest.getDefaultInstance());
    KVGrpc.newBlockingStub(channel).range(RangeRequest.getDefaultInstance());
    port.close(50);
    assertThatThrownBy(() -> never.get(30, TimeUnit.SECONDS))
        .hasCauseInstanceOf(StatusRuntimeException.class)
        .satisfies(e -> assertThat(((StatusRuntimeException) e.getCause()).getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE));
  }

  /** Larger than what the system's buffers take of it. */
  @Test
  void http_answers_that_nobody_takes_are_bounded_together() throws Exception {
    OutboundBudget budget = new OutboundBudget(80 << 20, System::nanoTime);
    HttpHandler large =
        (request, responder) -> responder.respond(responder.reserve(50 << 20) ? HttpResponse.ok("text/plain", "x".repeat(50 << 20)) : HttpResponse.error(429, "too much"));
    try (GrpcPort bounded = GrpcPort.open(anyPort(), loops, List.of(), List.of(), null, new HttpRoutes().route("/large", large), PortTls.NONE, BOUNDS, budget)) {
      try (Socket idle = new Socket(bounded.address().getAddress(), bounded.address().getPort())) {
        idle.getOutputStream().write(get("/large").getBytes(StandardCharsets.US_ASCII));
        awaitHeld(budget, 50 << 20);
        assertThat(exchange(bounded.address(), get("/large"))).startsWith("HTTP/1.1 429").contains("too much");
        assertThat(budget.heldBytes()).isEqualTo(50 << 20);
      }
      awaitHeld(budget, 0);
      assertThat(exchange(bounded.address(), get("/large"))).startsWith("HTTP/1.1 200").hasSizeGreaterThan(50 << 20);
      awaitHeld(budget, 0);
    }
  }

  private static void awaitHeld(OutboundBudget budget, long bytes) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (budget.heldBytes() != bytes) {
      assertThat(System.nanoTime()).as("%d bytes are held, not %d", budget.heldBytes(), bytes).isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(5);
    }
  }
}
