package io.kvorum.server.front;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.protocol.etcdserverpb.RangeResponse;
import io.kvorum.server.metrics.CallMeter;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Client ports on Unix sockets. */
class UnixPortTest {
  private static final GrpcPort.Bounds BOUNDS = new GrpcPort.Bounds(1 << 20, 1 << 20, 100, 5_000, false, 0, 0, true);

  @TempDir Path directory;

  private static final class Keys extends KVGrpc.KVImplBase {
    @Override
    public void range(RangeRequest request, StreamObserver<RangeResponse> observer) {
      observer.onNext(RangeResponse.newBuilder().setCount(7).build());
      observer.onCompleted();
    }
  }

  private static String get(SocketAddress address, String path) throws IOException {
    try (SocketChannel client = SocketChannel.open(address)) {
      client.write(ByteBuffer.wrap(("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").getBytes(StandardCharsets.US_ASCII)));
      StringBuilder answer = new StringBuilder();
      ByteBuffer in = ByteBuffer.allocate(1024);
      while (client.read(in) >= 0) {
        answer.append(StandardCharsets.UTF_8.decode(in.flip()));
        in.clear();
      }
      return answer.toString();
    }
  }

  @Test
  void one_socket_serves_grpc_and_http_and_a_left_over_file_makes_way() throws Exception {
    Path file = directory.resolve("client.sock");
    UnixDomainSocketAddress address = UnixDomainSocketAddress.of(file);
    List<CallMeter.CallReport> reports = new ArrayList<>();
    try (EventLoops loops = EventLoops.single("unix")) {
      HttpRoutes routes = new HttpRoutes().get("/hello", request -> HttpResponse.ok(HttpResponse.PLAIN, "hello"));
      for (int round = 0; round < 2; round++) {
        if (round == 1) {
          // As a killed process leaves it.
          java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX).bind(address).close();
          assertThat(file).exists();
        }
        CallMeter meter = new CallMeter(List.of(new Keys().bindService()), false, -1, reports::add);
        try (GrpcPort port = GrpcPort.open(address, loops, List.of(new Keys().bindService()), List.of(), meter, routes, PortTls.NONE, BOUNDS, null)) {
          ManagedChannel channel =
              NettyChannelBuilder.forAddress(new DomainSocketAddress(file.toString()))
                  .eventLoopGroup(loops.group())
                  .channelType(EpollDomainSocketChannel.class)
                  .usePlaintext()
                  .build();
          assertThat(KVGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS).range(RangeRequest.getDefaultInstance()).getCount()).isEqualTo(7);
          assertThat(get(address, "/hello")).startsWith("HTTP/1.1 200 OK").endsWith("hello");
          channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        }
        assertThat(file).doesNotExist();
      }
    }
  }

  @Test
  void a_file_that_is_no_socket_is_left_alone() throws Exception {
    Path file = Files.writeString(directory.resolve("notes"), "mine");
    try (EventLoops loops = EventLoops.single("unix")) {
      assertThatThrownBy(() -> HttpPort.open(UnixDomainSocketAddress.of(file), loops, new HttpRoutes(), PortTls.NONE, 1))
          .isInstanceOf(BindException.class)
          .hasMessage("listen unix " + file + ": bind: address already in use");
    }
    assertThat(file).hasContent("mine");
  }
}
