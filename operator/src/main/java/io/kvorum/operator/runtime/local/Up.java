package io.kvorum.operator.runtime.local;

import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterSpec;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.TlsSpec;
import io.kvorum.operator.engine.ClusterEngine;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.plan.Planner;
import io.kvorum.operator.status.StatusWriter;
import io.kvorum.operator.store.GrpcStoreAdmin;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * {@code kvorum up}: the operator's planner over members that are processes of this machine, until Ctrl-C.
 *
 * <p>A pass follows at most a quarter of a second after the other; an edited file is taken over before the next pass, one that cannot be followed is told and changes
 * nothing. A pass that cannot read or write a file is tried again after a second, in vain after at most half a minute. At the end all members are asked to stop and killed after {@link #STOP_LIMIT}. When this process itself is killed the members go on, and the next
 * run takes them over.
 */
public final class Up {
  private static final Duration STOP_LIMIT = Duration.ofSeconds(25);
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(250);
  private static final long LOOK_MILLIS = 50;
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm:ss");

  private final UpOptions options;
  private final Builds builds;
  private final PrintStream out;
  private final ClusterEngine.Progress progress;
  private final Retries retries = new Retries();
  private final CountDownLatch stopping = new CountDownLatch(1);
  private final CountDownLatch stopped = new CountDownLatch(1);
  private FileTime fileTime = FileTime.fromMillis(0);
  private String shown = "";
  private String failure = "";

  Up(UpOptions options, Builds builds, PrintStream out, ClusterEngine.Progress progress) {
    this.options = options;
    this.builds = builds;
    this.out = out;
    this.progress = progress;
  }

  /**
   * Runs until the process is told to end.
   *
   * @return exit code: 0 when told to end, 1 when the folder or the file cannot be used
   */
  int run() throws IOException, InterruptedException {
    Files.createDirectories(options.data());
    try (FileChannel channel = FileChannel.open(options.data().resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      Optional<FileLock> lock = lock(channel);
      if (lock.isEmpty()) {
        out.println("kvorum up: " + options.data() + " is in use by another kvorum up");
        return 1;
      }
      KvorumCluster wanted;
      try {
        wanted = options.file().isPresent() ? read(null) : ClusterFile.defaults(options.members(), builds.launchers().keySet().iterator().next());
      } catch (ClusterFile.RefusedException refused) {
        out.println("kvorum up: " + refused.getMessage());
        return 1;
      }
      return serve(wanted);
    }
  }

  private int serve(KvorumCluster wanted) throws IOException, InterruptedException {
    Clock clock = Clock.systemUTC();
    LocalState state = LocalState.open(options.data(), wanted, clock);
    List<String> faults = ClusterFile.changes(wanted.getSpec(), state.cluster().getSpec());
    if (!faults.isEmpty()) {
      out.println("kvorum up: " + options.data() + " holds a cluster that this cannot follow: " + String.join("; ", faults));
      return 1;
    }
    state.accept(wanted.getSpec());
    Places places = new Places(options.data(), options.basePort(), wanted.getSpec().tls());
    LocalRuntime runtime =
        new LocalRuntime(places, state, new Processes(), builds, new Readiness(), clock, new SecureRandom(), this::tell);
    Thread hook = new Thread(this::stop, "up-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    out.println("Cluster " + state.cluster().getMetadata().getName() + " in " + options.data());
    try (GrpcStoreAdmin store = new GrpcStoreAdmin(runtime::access, clock)) {
      ClusterEngine engine = new ClusterEngine(runtime, store, new Planner()::plan, StatusWriter::status, progress);
      Duration pause;
      do {
        pause = pass(engine, state, runtime);
      } while (!stopping.await(pause.toMillis(), TimeUnit.MILLISECONDS));
    } finally {
      suspend(runtime);
      stopped.countDown();
    }
    return 0;
  }

  /** One pass; a file that cannot be read or written is told and tried again, since a full disk or a lost mount may come back. Returns when the next is due. */
  private Duration pass(ClusterEngine engine, LocalState state, LocalRuntime runtime) {
    try {
      follow(state);
      ClusterEngine.Outcome outcome = engine.pass();
      tellFailure(outcome.failure());
      show(state, runtime);
      retries.reset();
      return outcome.plan().requeueAfter().compareTo(LONGEST_PAUSE) < 0 ? outcome.plan().requeueAfter() : LONGEST_PAUSE;
    } catch (IOException | UncheckedIOException e) {
      tellFailure(e.getMessage() == null ? e.toString() : e.getMessage());
      return retries.pause();
    }
  }

  private static Optional<FileLock> lock(FileChannel channel) throws IOException {
    try {
      return Optional.ofNullable(channel.tryLock());
    } catch (OverlappingFileLockException e) {
      return Optional.empty();
    }
  }

  private KvorumCluster read(LocalState state) throws IOException, ClusterFile.RefusedException {
    Path file = options.file().orElseThrow();
    if (!Files.isReadable(file)) {
      throw new ClusterFile.RefusedException("cannot read " + file);
    }
    return ClusterFile.read(file, state == null ? null : state.cluster().getSpec(), builds);
  }

  /** Takes an edited file over. */
  private void follow(LocalState state) throws IOException {
    if (options.file().isEmpty() || !Files.exists(options.file().get())) {
      return;
    }
    FileTime edited = Files.getLastModifiedTime(options.file().get());
    if (edited.equals(fileTime)) {
      return;
    }
    try {
      state.accept(read(state).getSpec());
    } catch (ClusterFile.RefusedException refused) {
      say("not followed: " + refused.getMessage());
    }
    // Not before: an edit that could not be written down is looked at again.
    fileTime = edited;
  }

  private void tell(PlannedEvent event) {
    say((event.member().isEmpty() ? "" : event.member() + ": ") + event.message());
  }

  private void tellFailure(String now) {
    if (!now.isEmpty() && !now.equals(failure)) {
      say("tried in vain, goes on trying: " + now);
    }
    failure = now;
  }

  private void say(String line) {
    out.println(LocalTime.now(ZoneId.systemDefault()).format(TIME) + "  " + line);
    out.flush();
  }

  /** Shows the members whenever the cluster has become ready as it now is. */
  private void show(LocalState state, LocalRuntime runtime) {
    KvorumClusterStatus status = state.cluster().getStatus();
    boolean whole = status.quorum() != null && status.quorum().voters() >= state.cluster().getSpec().replicas();
    if (status.phase() != KvorumClusterStatus.Phase.RUNNING || !whole) {
      return;
    }
    String table = MemberTable.render(status, runtime.endpoints());
    if (!table.equals(shown)) {
      out.print(table);
      if (shown.isEmpty()) {
        out.print(MemberTable.firstSteps(runtime.endpoints(), flags(state.cluster().getSpec())));
      }
      out.flush();
      shown = table;
    }
  }

  /** What etcdctl needs beside the endpoints. */
  private String flags(KvorumClusterSpec spec) {
    StringBuilder flags = new StringBuilder();
    if (spec.tls().client().on()) {
      flags.append(" --cacert=").append(options.data().resolve("tls/ca.crt"));
    }
    if (spec.tls().client().on() && spec.tls().client().clientAuth() == TlsSpec.ClientAuth.REQUIRED) {
      Path own = options.data().resolve("tls/operator");
      flags.append(" --cert=").append(own.resolve("tls.crt")).append(" --key=").append(own.resolve("tls.key"));
    }
    if (spec.wantsAuth()) {
      flags.append(" --user=root:$(cat ").append(options.data().resolve("root-password")).append(")");
    }
    return flags.toString();
  }

  /** On SIGINT or SIGTERM; returns when the members have ended. */
  void stop() {
    stopping.countDown();
    try {
      stopped.await(STOP_LIMIT.plusSeconds(10).toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void suspend(LocalRuntime runtime) throws InterruptedException {
    out.println("Stopping");
    runtime.suspend();
    long deadline = System.nanoTime() + STOP_LIMIT.toNanos();
    while (runtime.anyAlive()) {
      if (System.nanoTime() > deadline) {
        out.println("Members did not stop in " + STOP_LIMIT.toSeconds() + " s and are killed");
        runtime.kill();
        break;
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
    runtime.suspended();
    out.println("Stopped; the data stays for the next time");
    out.flush();
  }
}
