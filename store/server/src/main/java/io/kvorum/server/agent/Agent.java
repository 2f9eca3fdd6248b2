package io.kvorum.server.agent;

import com.google.protobuf.ByteString;
import io.grpc.ServerServiceDefinition;
import io.kvorum.protocol.etcdserverpb.AuthGrpc;
import io.kvorum.protocol.etcdserverpb.ClusterGrpc;
import io.kvorum.protocol.etcdserverpb.KVGrpc;
import io.kvorum.protocol.etcdserverpb.LeaseGrpc;
import io.kvorum.protocol.etcdserverpb.MaintenanceGrpc;
import io.kvorum.protocol.etcdserverpb.WatchGrpc;
import io.kvorum.protocol.health.HealthGrpc;
import io.kvorum.protocol.v1.AdminGrpc;
import io.kvorum.protocol.v1.BackupGrpc;
import io.kvorum.protocol.v1.LeasesGrpc;
import io.kvorum.protocol.v3electionpb.ElectionGrpc;
import io.kvorum.protocol.v3lockpb.LockGrpc;
import io.kvorum.server.agent.upstream.Address;
import io.kvorum.server.agent.upstream.Seen;
import io.kvorum.server.agent.upstream.Upstream;
import io.kvorum.server.base.Version;
import io.kvorum.server.front.EventLoops;
import io.kvorum.server.front.LocalPort;
import io.kvorum.server.front.OutboundBudget;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.ProcessMetrics;
import io.kvorum.server.tls.TlsException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * A running agent, composed of its parts.
 *
 * <p>Start: tokens and certificates are read, the copy begins to be read if there is to be one, the ports are bound, then the pod is registered as soon as it is ready. Until the
 * copy is there the cluster is asked. Stop: the registration is taken away, the ports are closed, calls under way have half a second, then the copy and the connections to the
 * cluster end.
 */
final class Agent implements AutoCloseable {
  private static final Log LOG = Log.of(Agent.class);
  private static final long LOOK_SECONDS = 1;
  private static final Path PROC_NET = Path.of("/proc/net");

  private static final int TIMER_THREADS = 2;
  private static final long IDLE_SECONDS = 10;

  /** Reads that have waited for the copy; more are refused. */
  private static final int READS_MAX = 10_000;

  /** New connections whose user is being asked for; more are refused. */
  private static final int CHECKS_MAX = 1_024;

  /** Of the memory that the JVM may take, for answers that callers have not taken. */
  private static final int OUTBOUND_SHARE = 4;

  private final EventLoops loops = EventLoops.forClients(Runtime.getRuntime().availableProcessors());
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(TIMER_THREADS, Thread.ofPlatform().daemon().name("agent-timer-", 0).factory());
  private final ExecutorService checks = worker("agent-checks", CHECKS_MAX);
  private final ExecutorService readers = worker("agent-reads", READS_MAX);
  private final Seen shown = new Seen();
  private final List<MetricSource> metrics = new ArrayList<>();
  private Upstream upstream;
  private Mirroring mirroring;
  private LocalPort own;
  private Discovery discovery;
  private AgentPorts ports;

  private Agent() {}

  private static ExecutorService worker(String name, int queue) {
    ThreadPoolExecutor worker =
        new ThreadPoolExecutor(1, 1, IDLE_SECONDS, TimeUnit.SECONDS, new ArrayBlockingQueue<>(queue), Thread.ofPlatform().daemon().name(name).factory());
    worker.allowCoreThreadTimeOut(true);
    return worker;
  }

  /**
   * Starts; returns when calls are taken.
   *
   * @throws IOException with a reason for its user
   */
  static Agent start(AgentSettings settings) throws IOException {
    Agent agent = new Agent();
    boolean started = false;
    try {
      agent.open(settings, RandomGenerator.getDefault());
      started = true;
      return agent;
    } catch (TlsException refused) {
      throw new IOException(refused.getMessage(), refused);
    } finally {
      if (!started) {
        agent.end();
      }
    }
  }

  private void open(AgentSettings settings, RandomGenerator random) throws IOException, TlsException {
    LocalSettings local = settings.local();
    MirrorSettings mirror = settings.mirror();
    LOG.info(
        "starting a kvorum agent", "kvorum-version", Version.kvorum(), "endpoints", settings.upstream().members().stream().map(Address::toString).toList(),
        "credentials", settings.upstream().credentials().toString(), "listen-client-urls", local.clientUrls(), "listen-metrics-urls", local.metricsUrls(),
        "mirror", mirror == null ? List.of() : mirror.prefixes().stream().map(ByteString::toStringUtf8).toList(), "stale-reads", mirror != null && mirror.staleReads(),
        "pid", ProcessHandle.current().pid());
    LocalTokens tokens = local.tokenFile() == null ? null : new LocalTokens(local.tokenFile());
    if (tokens != null) {
      timer.scheduleWithFixedDelay(tokens::look, LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
    }
    upstream = Upstream.open(settings.upstream(), loops, timer, System::nanoTime, random);
    mirroring = mirror == null ? null : Mirroring.start(mirror, upstream.channel(), timer, random);
    UidCheck check = local.allowedUids() == null ? null : new UidCheck(local.allowedUids(), new PeerUids(PROC_NET), checks);
    LocalAccess access = new LocalAccess(tokens);
    OutboundBudget outbound =
        new OutboundBudget(Math.max(OutboundBudget.CONNECTION_BYTES, Runtime.getRuntime().maxMemory() / OUTBOUND_SHARE), System::nanoTime);
    AgentHealth health = new AgentHealth(upstream.channel(), settings.upstream().loginTimeout(), () -> mirroring != null && mirroring.servesCutOff());
    metrics.addAll(List.of(upstream, access, outbound, new ProcessMetrics()));
    List<ServerServiceDefinition> services = services(tokens);
    String name = "agent-" + Long.toHexString(random.nextLong());
    own = new LocalPort(name + "-own");
    own.start(services, List.of(), null);
    discovery = Discovery.open(settings.discovery(), new Discovery.Channels(upstream.channel(), own.channel()), loops, timer, random);
    metrics.add(discovery);
    ports = AgentPorts.open(local, loops, name, new AgentPorts.Content(services, access, check, outbound, health, metrics));
    discovery.start();
  }

  private List<ServerServiceDefinition> services(LocalTokens tokens) {
    CopyReads reads = null;
    if (mirroring != null) {
      reads = new CopyReads(mirroring.copy(), shown, mirroring.settings().staleReads(), upstream::connected, readers, System::nanoTime);
      metrics.addAll(List.of(mirroring.copy(), reads));
    }
    Ranges ranges = new Ranges(upstream.channel(), shown, reads);
    metrics.add(ranges);
    Forwarding forwarding = new Forwarding(upstream.channel(), shown);
    return List.of(
        forwarding.service(KVGrpc.getServiceDescriptor(), ranges.methods()),
        mirroring == null ? forwarding.service(WatchGrpc.getServiceDescriptor()) : mirroring.copy().watches(shown::get, shown::revision).bindService(),
        forwarding.service(LeaseGrpc.getServiceDescriptor()),
        forwarding.service(ClusterGrpc.getServiceDescriptor()),
        forwarding.service(MaintenanceGrpc.getServiceDescriptor()),
        forwarding.service(AuthGrpc.getServiceDescriptor(), Map.of("Authenticate", new LocalLogin(tokens, shown::get).method())),
        forwarding.service(LockGrpc.getServiceDescriptor()),
        forwarding.service(ElectionGrpc.getServiceDescriptor()),
        forwarding.service(HealthGrpc.getServiceDescriptor()),
        forwarding.service(AdminGrpc.getServiceDescriptor()),
        forwarding.service(BackupGrpc.getServiceDescriptor()),
        forwarding.service(LeasesGrpc.getServiceDescriptor()));
  }

  List<Integer> clientPorts() {
    return ports.clientPorts();
  }

  List<InetSocketAddress> dnsAddresses() {
    return discovery.dnsAddresses();
  }

  List<Integer> metricsPorts() {
    return ports.metricsPorts();
  }

  void announceReady() {
    ports.announceReady();
  }

  /**
   * @param signal what ends it
   */
  void stopping(String signal) {
    LOG.info("received signal; shutting down", "signal", signal);
  }

  @Override
  public void close() {
    end();
    LOG.info("closed the agent");
  }

  /** Whatever has been opened, in reverse. */
  private void end() {
    if (discovery != null) {
      discovery.close();
    }
    if (own != null) {
      own.close();
    }
    if (ports != null) {
      ports.close();
    }
    if (mirroring != null) {
      mirroring.close();
    }
    if (upstream != null) {
      upstream.close();
    }
    timer.shutdownNow();
    checks.shutdownNow();
    readers.shutdownNow();
    loops.close();
  }
}
