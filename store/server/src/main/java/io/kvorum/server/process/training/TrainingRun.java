package io.kvorum.server.process.training;

import io.grpc.ManagedChannel;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;

/**
 * Makes the ahead-of-time cache of a laid out distribution, as a step of the build: starts a cluster of two whose first member records, puts load on it through its
 * port, and stops it; its JVM then writes {@code lib/kvorum.aot}. Classes come loaded and linked out of the cache, and the recorded profiles of the load let the compiler
 * begin with what matters. Two members, because one alone never uses what carries messages between members.
 *
 * <p>Argument: the directory with {@code bin} and {@code lib}.
 */
public final class TrainingRun {
  private static final long EXIT_SECONDS = 600;
  private static final int MEMBERS = 2;
  private static final int HANDSHAKES = 50;
  private static final long CALL_SECONDS = 10;

  private final Path dist;
  private final Path data;
  private final List<Integer> ports = new ArrayList<>();

  private TrainingRun(Path dist, Path data) throws IOException {
    this.dist = dist;
    this.data = data;
    List<ServerSocket> reserved = new ArrayList<>();
    for (int i = 0; i < 2 * MEMBERS + 1; i++) {
      reserved.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
    }
    for (ServerSocket socket : reserved) {
      ports.add(socket.getLocalPort());
      socket.close();
    }
  }

  public static void main(String[] args) throws IOException, InterruptedException {
    Path dist = Path.of(args[0]).toAbsolutePath();
    Path data = Files.createTempDirectory("kvorum-training");
    try {
      new TrainingRun(dist, data).run();
    } finally {
      delete(data);
    }
  }

  private void run() throws IOException, InterruptedException {
    Path cache = dist.resolve("lib").resolve("kvorum.aot");
    new TrainingCertificates(data).write();
    Process helper = start(1, "");
    try {
      Process recorded = start(0, "-Dkvorum.exit.plain=true -XX:AOTCacheOutput=" + cache);
      try {
        try (TrainingLoad load = new TrainingLoad(ports.get(0))) {
          load.run();
        }
        handshakes();
        recorded.destroy();
        if (!recorded.waitFor(EXIT_SECONDS, TimeUnit.SECONDS) || !Files.exists(cache)) {
          throw new IllegalStateException("no " + cache + " was written; the server's log:\n" + Files.readString(data.resolve("0.log")));
        }
      } finally {
        recorded.destroyForcibly();
      }
    } finally {
      helper.destroyForcibly().waitFor();
    }
  }

  private void handshakes() throws IOException {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, InsecureTrustManagerFactory.INSTANCE.getTrustManagers(), null);
      for (int i = 0; i < HANDSHAKES; i++) {
        try (Socket socket = context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), ports.get(2 * MEMBERS))) {
          socket.getOutputStream().write("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
          socket.getInputStream().readAllBytes();
        }
        grpcOverTls(ports.get(2 * MEMBERS));
      }
    } catch (GeneralSecurityException e) {
      throw new IOException("no TLS", e);
    }
  }

  private static void grpcOverTls(int port) throws IOException {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port)
            .sslContext(GrpcSslContexts.forClient().sslProvider(SslProvider.JDK).trustManager(InsecureTrustManagerFactory.INSTANCE).build()).build();
    MaintenanceGrpc.newBlockingStub(channel).withDeadlineAfter(CALL_SECONDS, TimeUnit.SECONDS).status(StatusRequest.getDefaultInstance());
    channel.shutdownNow();
  }

  private String peerUrl(int member) {
    return "https://127.0.0.1:" + ports.get(MEMBERS + member);
  }

  /** So that the classes of TLS are in the cache, those of connections between members with files and those of a port with a certificate that is made. */
  private List<String> tls(int member) {
    List<String> flags =
        new ArrayList<>(
            List.of(
                "--peer-cert-file=" + data.resolve(TrainingCertificates.CERT), "--peer-key-file=" + data.resolve(TrainingCertificates.KEY),
                "--peer-trusted-ca-file=" + data.resolve(TrainingCertificates.AUTHORITY)));
    if (member == 0) {
      flags.add("--auto-tls");
    }
    return flags;
  }

  private Process start(int member, String options) throws IOException {
    String client = "http://127.0.0.1:" + ports.get(member);
    String secure = member == 0 ? ",https://127.0.0.1:" + ports.get(2 * MEMBERS) : "";
    ProcessBuilder builder =
        new ProcessBuilder(
                dist.resolve("bin").resolve("kvorum").toString(),
                "--name=m" + member,
                "--data-dir=" + data.resolve("m" + member),
                "--listen-client-urls=" + client + secure,
                "--advertise-client-urls=" + client,
                "--listen-peer-urls=" + peerUrl(member),
                "--initial-advertise-peer-urls=" + peerUrl(member),
                "--initial-cluster=m0=" + peerUrl(0) + ",m1=" + peerUrl(1))
            .redirectErrorStream(true)
            .redirectOutput(data.resolve(member + ".log").toFile());
    builder.command().addAll(tls(member));
    builder.environment().keySet().removeIf(name -> name.startsWith("ETCD_"));
    builder.environment().put("KVORUM_JVM_OPTIONS", options);
    return builder.start();
  }

  private static void delete(Path directory) throws IOException {
    try (var files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).forEach(TrainingRun::deleteOne);
    }
  }

  private static void deleteOne(Path file) {
    try {
      Files.delete(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
