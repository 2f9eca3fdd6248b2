package io.kvorum.operator.runtime.local;

import static org.assertj.core.api.Assertions.assertThat;

import io.kvorum.operator.api.KvorumCluster;
import io.kvorum.operator.api.KvorumClusterStatus;
import io.kvorum.operator.api.KvorumMember;
import io.kvorum.operator.api.KvorumOperation;
import io.kvorum.operator.api.KvorumOperationStatus;
import io.kvorum.operator.api.TlsSpec;
import io.kvorum.operator.engine.ClusterEngine;
import io.kvorum.operator.event.PlannedEvent;
import io.kvorum.operator.observe.Observation.PodState;
import io.kvorum.operator.observe.StoreState;
import io.kvorum.operator.plan.Planner;
import io.kvorum.operator.status.StatusWriter;
import io.kvorum.operator.store.GrpcStoreAdmin;
import io.kvorum.operator.store.GrpcUserAdmin;
import io.kvorum.operator.store.StoreAccess;
import io.kvorum.operator.store.StoreAdmin;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A cluster of this machine whose operator the test lets crash: what is not in a file is then forgotten. */
final class LocalLab implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(150);
  private static final long PAUSE_MILLIS = 50;
  private static final String NAME = "lab";

  private final Path folder;
  private final Builds builds;
  private final int basePort;
  private final List<String> events = new ArrayList<>();
  private final Crashes crashes = new Crashes();
  private String security = "tls: {client: {mode: Disabled}, peer: {mode: Disabled}}";
  private KvorumCluster wanted;
  private LocalState state;
  private LocalRuntime runtime;
  private GrpcStoreAdmin store;
  private boolean belowQuorum;

  private static final class Crash extends Error {
    private static final long serialVersionUID = 1L;
  }

  /** Crashes once at each side effect, and lets the next attempt get past it. */
  private static final class Crashes implements ClusterEngine.Progress {
    private boolean on;
    private int count;
    private String passed = "";

    @Override
    public void reached(String point) {
      boolean effect = !point.equals("base-applied") && !point.equals("status-written") || point.equals("status-written") && !passed.equals(point);
      if (on && effect && !point.equals(passed)) {
        passed = point;
        count++;
        throw new Crash();
      }
      passed = effect ? "" : passed;
    }
  }

  LocalLab(Path folder) throws IOException, InterruptedException {
    Path launcher = Path.of(System.getProperty("kvorum.store"));
    assertThat(launcher).as("the store's distribution, made by: ./mvnw -pl store/server -am -DskipTests package").isExecutable();
    this.folder = folder;
    this.builds = Builds.of(List.of(launcher));
    this.basePort = freeBasePort();
    this.wanted = ClusterFile.defaults(1, builds.launchers().keySet().iterator().next());
  }

  private static int freeBasePort() {
    Random random = new Random();
    for (int attempt = 0; attempt < 50; attempt++) {
      int base = 5_000 + 10 * random.nextInt(900);
      Places places = new Places(Path.of("."), base, TlsSpec.DEFAULTS);
      boolean free = true;
      for (int slot = 0; slot < Places.SLOTS && free; slot++) {
        int port = places.clientPort(slot);
        free = isFree(port) && isFree(port + 1) && isFree(port + 2);
      }
      if (free) {
        return base;
      }
    }
    throw new IllegalStateException("no free ports");
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException e) {
      return false;
    }
  }

  /** Sets the specification, with options as name, value, name, value. */
  void want(int replicas, List<String> options) throws IOException {
    StringBuilder config = new StringBuilder();
    for (int i = 0; i < options.size(); i += 2) {
      config.append("    ").append(options.get(i)).append(": \"").append(options.get(i + 1)).append("\"\n");
    }
    Path file = folder.resolve("wanted.yaml");
    Files.writeString(
        file,
        """
        apiVersion: kvorum.io/v1alpha1
        kind: KvorumCluster
        metadata:
          name: %s
        spec:
          replicas: %d
          version: "%s"
          storage: {size: 1Gi}
          update: {minReadySeconds: 0}
          healing: {recreateAfter: 1s, replaceAfter: 2s}
          %s
        %s"""
            .formatted(NAME, replicas, wanted.getSpec().version(), security, config.isEmpty() ? "" : "  config:\n" + config));
    try {
      wanted = ClusterFile.read(file, null, builds);
    } catch (ClusterFile.RefusedException e) {
      throw new IllegalArgumentException(e);
    }
    if (state != null) {
      state.accept(wanted.getSpec());
    }
  }

  /** The lines of the specification about TLS, users and sleep; counts with the next {@link #want}. */
  void security(String lines) {
    security = lines;
  }

  void crashEverywhere() {
    crashes.on = true;
  }

  int crashes() {
    return crashes.count;
  }

  /** Passes until the status is as it should be. */
  void until(String what, Predicate<KvorumClusterStatus> reached) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (true) {
      restart();
      try {
        ClusterEngine engine = new ClusterEngine(runtime, store, new Planner()::plan, StatusWriter::status, crashes);
        do {
          engine.pass();
          watchQuorum();
          if (reached.test(status())) {
            return;
          }
          assertThat(System.nanoTime()).as(() -> what + " in time; " + status() + "\n" + events).isLessThan(deadline);
          TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        } while (true);
      } catch (Crash crash) {
        // Everything but the files and the members is forgotten.
      }
    }
  }

  private void restart() throws IOException {
    if (store != null) {
      store.close();
    }
    Clock clock = Clock.systemUTC();
    Path data = folder.resolve("data");
    state = LocalState.open(data, wanted, clock);
    state.accept(wanted.getSpec());
    Places places = new Places(data, basePort, wanted.getSpec().tls());
    runtime = new LocalRuntime(places, state, new Processes(), builds, new Readiness(), clock, new SecureRandom(), this::tell);
    store = new GrpcStoreAdmin(runtime::access, clock);
  }

  private void tell(PlannedEvent event) {
    events.add(event.reason().text());
  }

  private void watchQuorum() {
    KvorumClusterStatus.Quorum quorum = status().quorum();
    belowQuorum |= quorum != null && quorum.voters() > 2 && quorum.healthyVoters() < quorum.required();
  }

  boolean neverBelowQuorum() {
    return !belowQuorum;
  }

  KvorumClusterStatus status() {
    return state.cluster().getStatus();
  }

  List<String> events() {
    return events;
  }

  List<PodState> pods() {
    return runtime.surroundings().pods();
  }

  List<String> memberNames() {
    return runtime.surroundings().members().stream().map(KvorumMember::getMetadata).map(metadata -> metadata.getName()).sorted().toList();
  }

  long pid(String member) {
    return runtime.process(member).orElseThrow().pid();
  }

  void ask(KvorumOperation operation) throws IOException {
    LocalFolder.open(folder.resolve("data")).ask(operation);
  }

  Optional<KvorumOperationStatus> operation(String name) {
    try {
      return state.operations().get(name).map(KvorumOperation::getStatus);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Kills a member and takes its volume away. */
  void destroyVolume(String member) throws IOException, InterruptedException {
    ProcessRecord record = runtime.process(member).orElseThrow();
    new Processes().kill(new Processes.Identity(record.pid(), record.startedMillis()));
    while (new Processes().isAlive(new Processes.Identity(record.pid(), record.startedMillis()))) {
      TimeUnit.MILLISECONDS.sleep(10);
    }
    Claims.deleteAll(folder.resolve("data/claims").resolve(member).resolve("data"));
  }

  List<StoreAdmin.Endpoint> endpoints() {
    return runtime.endpoints();
  }

  /** An operator that knows itself as root. */
  GrpcStoreAdmin root(String password) {
    return new GrpcStoreAdmin(() -> new StoreAccess(Optional.empty(), Optional.of(new StoreAccess.Login("root", password))), Clock.systemUTC());
  }

  /** Hashes all members at a revision that they have, and waits for what comes of it. */
  StoreState compareData() throws InterruptedException {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    long revision = store.observe(endpoints()).answers().stream().mapToLong(StoreState.MemberAnswer::revision).min().orElseThrow();
    store.compareData(endpoints(), revision);
    StoreState seen = store.observe(endpoints());
    while (seen.comparison().isEmpty()) {
      assertThat(System.nanoTime()).as("compared in time").isLessThan(deadline);
      TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
      seen = store.observe(endpoints());
    }
    return seen;
  }

  /** The users of workloads, as an operator reaches them that has just been started. */
  GrpcUserAdmin users() {
    return new GrpcUserAdmin(store);
  }

  LocalKv kv() {
    return new LocalKv(runtime.endpoints(), runtime.access());
  }

  Path data() {
    return folder.resolve("data");
  }

  @Override
  public void close() {
    if (runtime != null) {
      runtime.kill();
      store.close();
    }
  }
}
