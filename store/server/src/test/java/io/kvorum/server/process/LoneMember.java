package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.RangeRequest;
import io.kvorum.server.config.ConfigParser;
import io.kvorum.server.config.FlagTable;
import io.kvorum.server.config.Parsed;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A cluster of one member in this process, ready when it is there. */
final class LoneMember implements AutoCloseable {
  final String url;
  final ManagedChannel channel;
  private final Server server;

  LoneMember(Path directory, String... more) throws Exception {
    int client;
    int peer;
    try (ServerSocket first = new ServerSocket(0, 1, InetAddress.getLoopbackAddress()); ServerSocket second = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      client = first.getLocalPort();
      peer = second.getLocalPort();
    }
    url = "http://127.0.0.1:" + client;
    String peerUrl = "http://127.0.0.1:" + peer;
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--name=m0", "--data-dir=" + directory, "--listen-client-urls=" + url, "--advertise-client-urls=" + url, "--listen-peer-urls=" + peerUrl,
                "--initial-advertise-peer-urls=" + peerUrl, "--initial-cluster=m0=" + peerUrl, "--election-timeout=500", "--heartbeat-interval=50"));
    arguments.addAll(Arrays.asList(more));
    ConfigParser.FileReader noFiles =
        file -> {
          throw new NoSuchFileException(file.toString());
        };
    Parsed parsed = new ConfigParser(FlagTable.etcd36(), noFiles).parse(arguments, Map.of());
    assertThat(parsed).isInstanceOf(Parsed.Serve.class);
    server = Server.start(((Parsed.Serve) parsed).config());
    channel = NettyChannelBuilder.forAddress("127.0.0.1", client).usePlaintext().build();
    KVGrpc.newBlockingStub(channel)
        .withWaitForReady()
        .withDeadlineAfter(30, TimeUnit.SECONDS)
        .range(RangeRequest.newBuilder().setKey(com.google.protobuf.ByteString.copyFromUtf8("ready")).build());
  }

  @Override
  public void close() throws Exception {
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    server.close();
  }
}
