package io.kvorum.server.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.kvorum.protocol.etcdserverpb.StatusResponse;
import io.kvorum.server.base.FreePorts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Members as processes of the laid out distribution, for tests after packaging. Closing kills what is left. */
final class Processes implements AutoCloseable {
  static final Path DIST = Path.of(System.getProperty("kvorum.dist", "target/kvorum")).toAbsolutePath();
  private static final long DEADLINE_SECONDS = 60;

  private final Path directory;
  private final int members;
  private final List<Integer> ports;
  private final Map<Integer, Process> running = new HashMap<>();
  private final Map<Integer, ManagedChannel> channels = new HashMap<>();

  Processes(Path directory, int members) {
    this.directory = directory;
    this.members = members;
    this.ports = FreePorts.some(2 * members);
  }

  /** A command of the distribution with its output in a file, and an environment without any hint where Java is. */
  static ProcessBuilder command(Path output, String... arguments) {
    ProcessBuilder builder = new ProcessBuilder(arguments).redirectErrorStream(true).redirectOutput(output.toFile());
    builder.environment().keySet().removeIf(name -> name.startsWith("ETCD_") || name.startsWith("KVORUM_") || name.startsWith("JAVA") || name.startsWith("JDK"));
    return builder;
  }

  Path log(int member) {
    return directory.resolve("m" + member + ".log");
  }

  int clientPort(int member) {
    return ports.get(member);
  }

  String peerUrl(int member) {
    return "http://127.0.0.1:" + ports.get(members + member);
  }

  String initialCluster() {
    return IntStream.range(0, members).mapToObj(i -> "m" + i + "=" + peerUrl(i)).collect(Collectors.joining(","));
  }

  Path dataDirectory(int member) {
    return directory.resolve("m" + member);
  }

  Process start(int member, String... more) throws IOException {
    return start(DIST.resolve("bin").resolve("etcd"), member, more);
  }

  Process startWith(String jvmOptions, int member) throws IOException {
    return start(DIST.resolve("bin").resolve("etcd"), jvmOptions, member);
  }

  Process start(Path program, int member, String... more) throws IOException {
    return start(program, "", member, more);
  }

  private Process start(Path program, String jvmOptions, int member, String... more) throws IOException {
    String client = "http://127.0.0.1:" + ports.get(member);
    String peer = peerUrl(member);
    List<String> command =
        new ArrayList<>(
            List.of(
                program.toString(), "--name=m" + member, "--data-dir=" + dataDirectory(member), "--listen-client-urls=" + client,
                "--advertise-client-urls=" + client, "--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
                "--initial-cluster=" + initialCluster()));
    command.addAll(Arrays.asList(more));
    ProcessBuilder builder = command(log(member), command.toArray(String[]::new));
    builder.environment().put("KVORUM_JVM_OPTIONS", jvmOptions);
    Process process = builder.start();
    running.put(member, process);
    return process;
  }

  void startAll() throws IOException {
    for (int i = 0; i < members; i++) {
      start(i);
    }
  }

  /** Waits for a text in a member's output. */
  void awaitLine(int member, String text) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (!Files.readString(log(member)).contains(text)) {
      assertThat(System.nanoTime()).as("waiting for '" + text + "' in\n" + Files.readString(log(member))).isLessThan(deadline);
      assertThat(running.get(member).isAlive()).as("m" + member + " ended:\n" + Files.readString(log(member))).isTrue();
      Thread.sleep(20);
    }
  }

  void awaitReady(int member) throws Exception {
    awaitLine(member, "ready to serve client requests");
  }

  /** As a power cut. */
  void kill(int member) throws InterruptedException {
    running.remove(member).destroyForcibly().waitFor();
  }

  /** Sends SIGTERM and waits for the end. */
  Process stop(int member) throws InterruptedException {
    Process process = running.remove(member);
    process.destroy();
    assertThat(process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)).isTrue();
    return process;
  }

  ManagedChannel channel(int member) {
    return channels.computeIfAbsent(member, any -> NettyChannelBuilder.forAddress("127.0.0.1", ports.get(member)).usePlaintext().build());
  }

  KVGrpc.KVBlockingStub kv(int member) {
    return KVGrpc.newBlockingStub(channel(member)).withWaitForReady().withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  StatusResponse status(int member) {
    return MaintenanceGrpc.newBlockingStub(channel(member))
        .withWaitForReady()
        .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
        .status(StatusRequest.getDefaultInstance());
  }

  /** Number of the running member that leads, as all running members agree. */
  int awaitLeader() throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (true) {
      int leader = -1;
      int agreeing = 0;
      long id = 0;
      for (int member : running.keySet()) {
        try {
          StatusResponse status = status(member);
          id = agreeing == 0 ? status.getLeader() : id;
          agreeing += status.getLeader() == id && id != 0 ? 1 : 0;
          leader = status.getHeader().getMemberId() == status.getLeader() ? member : leader;
        } catch (StatusRuntimeException notYet) {
          agreeing = -members;
        }
      }
      if (leader >= 0 && agreeing == running.size()) {
        return leader;
      }
      assertThat(System.nanoTime()).as("waiting for a leader").isLessThan(deadline);
      Thread.sleep(50);
    }
  }

  @Override
  public void close() throws InterruptedException {
    for (ManagedChannel channel : channels.values()) {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    for (Process process : running.values()) {
      process.destroyForcibly().waitFor();
    }
  }
}
