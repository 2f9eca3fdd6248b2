package io.kvorum.server.up;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.StatusRequest;
import io.kvorum.protocol.etcdserverpb.StatusResponse;
import io.kvorum.server.up.UpOptions.Place;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * {@code kvorum up}: a cluster of processes on this machine, until Ctrl-C.
 *
 * <ol>
 *   <li>start all members with one log file each;
 *   <li>wait until every member serves and one leads, at most {@link #START_LIMIT};
 *   <li>show them, and what to try first;
 *   <li>wait; a member that ends by itself is reported, the others go on;
 *   <li>on SIGINT or SIGTERM stop all members, killing those that take longer than {@link #STOP_LIMIT}.
 * </ol>
 */
public final class Up {
  private static final Duration START_LIMIT = Duration.ofSeconds(60);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(15);
  private static final int LOG_TAIL_LINES = 5;
  private static final long LOOK_MILLIS = 500;
  private static final long STOP_NOTICE_MILLIS = 300;

  private final Path launcher;
  private final PrintStream out;
  private final Map<Place, Process> running = new LinkedHashMap<>();
  private final CountDownLatch stopping = new CountDownLatch(1);

  /**
   * @param launcher the program that serves when it is given etcd's flags
   * @param out where to tell the user
   */
  public Up(Path launcher, PrintStream out) {
    this.launcher = launcher;
    this.out = out;
  }

  /**
   * Runs until the process is told to end.
   *
   * @param arguments those behind {@code up}
   * @return exit code: 0 after help, 1 when the cluster could not be started, 2 for wrong arguments
   */
  public int run(List<String> arguments) throws IOException, InterruptedException {
    if (arguments.contains("--help") || arguments.contains("-h")) {
      out.print(UpOptions.USAGE);
      return 0;
    }
    UpOptions options;
    try {
      options = UpOptions.parse(arguments);
    } catch (IllegalArgumentException e) {
      out.println("kvorum up: " + e.getMessage());
      out.print(UpOptions.USAGE);
      return 2;
    }
    Files.createDirectories(options.data());
    Runtime.getRuntime().addShutdownHook(new Thread(this::stop, "up-stop"));
    out.println("Starting " + options.members() + (options.members() == 1 ? " member" : " members") + " in " + options.data());
    for (Place place : options.places()) {
      start(options, place);
    }
    Map<Place, StatusResponse> status = awaitServing(options);
    if (status == null) {
      return 1;
    }
    out.print(MemberTable.render(status));
    out.print(MemberTable.firstSteps(options.places()));
    out.flush();
    watchMembers();
    return 1;
  }

  private void start(UpOptions options, Place place) throws IOException {
    List<String> command =
        List.of(
            launcher.toString(),
            "--name=" + place.name(),
            "--data-dir=" + place.directory(),
            "--listen-client-urls=" + place.clientUrl(),
            "--advertise-client-urls=" + place.clientUrl(),
            "--listen-peer-urls=" + place.peerUrl(),
            "--initial-advertise-peer-urls=" + place.peerUrl(),
            "--initial-cluster=" + options.initialCluster(),
            "--initial-cluster-state=new",
            "--initial-cluster-token=kvorum-up");
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(place.log().toFile());
    // The members must not take this process' own settings for theirs.
    builder.environment().keySet().removeIf(name -> name.startsWith("ETCD_"));
    synchronized (running) {
      running.put(place, builder.start());
    }
  }

  /** Status of every member once one leads, or null (with the reason told) when they do not come up. */
  private Map<Place, StatusResponse> awaitServing(UpOptions options) throws InterruptedException, IOException {
    long deadline = System.nanoTime() + START_LIMIT.toNanos();
    while (System.nanoTime() < deadline) {
      Map<Place, StatusResponse> all = new LinkedHashMap<>();
      for (Place place : options.places()) {
        if (!running.get(place).isAlive()) {
          tellEnded(place);
          return null;
        }
        StatusResponse status = status(place);
        if (status != null && status.getLeader() != 0) {
          all.put(place, status);
        }
      }
      if (all.size() == options.members()) {
        return all;
      }
      Thread.sleep(100);
    }
    out.println("kvorum up: the members do not serve after " + START_LIMIT.toSeconds() + " s; their logs are in " + options.data());
    return null;
  }

  private static StatusResponse status(Place place) throws InterruptedException {
    ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", place.clientPort()).usePlaintext().build();
    try {
      return MaintenanceGrpc.newBlockingStub(channel).withDeadlineAfter(1, TimeUnit.SECONDS).status(StatusRequest.getDefaultInstance());
    } catch (StatusRuntimeException e) {
      return null;
    } finally {
      channel.shutdownNow().awaitTermination(1, TimeUnit.SECONDS);
    }
  }

  /** Returns when no member runs any more. */
  private void watchMembers() throws InterruptedException, IOException {
    while (true) {
      boolean any = false;
      for (Map.Entry<Place, Process> entry : List.copyOf(running.entrySet())) {
        if (entry.getValue().isAlive()) {
          any = true;
        } else {
          // Ctrl-C reaches the members too, perhaps sooner than us: then their end is no news.
          if (stopping.await(STOP_NOTICE_MILLIS, TimeUnit.MILLISECONDS)) {
            return;
          }
          tellEnded(entry.getKey());
          synchronized (running) {
            running.remove(entry.getKey());
          }
        }
      }
      if (!any) {
        return;
      }
      if (stopping.await(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        return;
      }
    }
  }

  private void tellEnded(Place place) throws IOException {
    out.println("Member " + place.name() + " ended with status " + running.get(place).exitValue() + "; the end of " + place.log() + ":");
    List<String> lines = new String(Files.readAllBytes(place.log()), StandardCharsets.UTF_8).lines().toList();
    lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()).forEach(line -> out.println("  " + line));
    out.flush();
  }

  private void stop() {
    stopping.countDown();
    Map<Place, Process> all;
    synchronized (running) {
      all = new LinkedHashMap<>(running);
    }
    if (all.isEmpty()) {
      return;
    }
    out.println("Stopping");
    all.values().forEach(Process::destroy);
    long deadline = System.nanoTime() + STOP_LIMIT.toNanos();
    for (Map.Entry<Place, Process> entry : all.entrySet()) {
      try {
        if (!entry.getValue().waitFor(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS)) {
          out.println("Member " + entry.getKey().name() + " did not stop in " + STOP_LIMIT.toSeconds() + " s and is killed");
          entry.getValue().destroyForcibly();
        }
      } catch (InterruptedException e) {
        entry.getValue().destroyForcibly();
      }
    }
    out.println("Stopped; the data stays for the next time");
    out.flush();
  }
}
