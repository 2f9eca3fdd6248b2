package io.kvorum.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A cluster of one member, as a process of the laid out distribution. */
final class KvorumProcess implements AutoCloseable {
  private static final Path PROGRAM = Path.of(System.getProperty("kvorum.dist", "../store/server/target/kvorum")).toAbsolutePath().resolve("bin").resolve("kvorum");

  final String url;
  private final Path log;
  private final List<String> command;
  private ManagedChannel channel;
  private Process process;

  /**
   * Started, and ready. It listens on the socket {@code client.sock} in the directory too.
   *
   * @param scheme http or https, of the port
   */
  KvorumProcess(Path directory, String scheme, String... options) throws Exception {
    List<Integer> ports = freePorts();
    url = scheme + "://127.0.0.1:" + ports.get(0);
    String peer = "http://127.0.0.1:" + ports.get(1);
    log = directory.resolve("log");
    command =
        new ArrayList<>(
            List.of(
                PROGRAM.toString(), "--name=m0", "--data-dir=" + directory.resolve("data"), "--listen-client-urls=" + url + ",unix://" + directory.resolve("client.sock"), "--advertise-client-urls=" + url,
                "--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer, "--initial-cluster=m0=" + peer, "--election-timeout=500", "--heartbeat-interval=50"));
    command.addAll(Arrays.asList(options));
    start();
  }

  private static List<Integer> freePorts() throws IOException {
    try (ServerSocket one = new ServerSocket(0, 1, InetAddress.getLoopbackAddress()); ServerSocket two = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return List.of(one.getLocalPort(), two.getLocalPort());
    }
  }

  void start() throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("ETCD_") || name.startsWith("KVORUM_"));
    process = builder.start();
    Await.until(
        "it is ready",
        () -> {
          assertThat(process.isAlive()).as("the server's log: " + log()).isTrue();
          return log().contains("ready to serve client requests");
        });
  }

  private String log() {
    try {
      return Files.readString(log);
    } catch (IOException gone) {
      return gone.toString();
    }
  }

  /** As a power cut. */
  void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** In the clear. */
  ManagedChannel channel() {
    if (channel == null) {
      channel = Grpc.newChannelBuilder("dns:///" + url.substring(url.indexOf("//") + 2), InsecureChannelCredentials.create()).build();
    }
    return channel;
  }

  @Override
  public void close() throws Exception {
    if (channel != null) {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    kill();
  }
}
