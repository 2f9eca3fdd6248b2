package io.kvorum.server.agent;

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
import io.kvorum.server.front.OutboundBudget;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.ProcessMetrics;
import io.kvorum.server.tls.TlsException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * A running agent, composed of its parts.
 *
 * <p>Start: certificates and tokens are read, the ports are bound; a member is dialled with the first call. Stop: the ports are closed, calls under way have half a second,
 * then the connections to the cluster end.
 */
final class Agent implements AutoCloseable {
  private static final Log LOG = Log.of(Agent.class);
  private static final long LOOK_SECONDS = 1;
  private static final Path PROC_NET = Path.of("/proc/net");

  /** New connections whose user is being asked for; more are refused. */
  private static final int CHECKS_MAX = 1_024;

  /** Of the memory that the JVM may take, for answers that callers have not taken. */
  private static final int OUTBOUND_SHARE = 4;

  private final EventLoops loops;
  private final ScheduledExecutorService timer;
  private final ExecutorService checks;
  private final Upstream upstream;
  private AgentPorts ports;

  private Agent(EventLoops loops, ScheduledExecutorService timer, ExecutorService checks, Upstream upstream) {
    this.loops = loops;
    this.timer = timer;
    this.checks = checks;
    this.upstream = upstream;
  }

  /**
   * Starts; returns when calls are taken.
   *
   * @throws IOException with a reason for its user
   */
  static Agent start(AgentSettings settings) throws IOException {
    RandomGenerator random = RandomGenerator.getDefault();
    EventLoops loops = EventLoops.forClients(Runtime.getRuntime().availableProcessors());
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("agent-timer").factory());
    ExecutorService checks =
        new ThreadPoolExecutor(0, 1, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(CHECKS_MAX), Thread.ofPlatform().daemon().name("agent-checks").factory());
    Agent agent = null;
    try {
      agent = new Agent(loops, timer, checks, Upstream.open(settings.upstream(), loops, timer, System::nanoTime, random));
      agent.listen(settings, "agent-" + Long.toHexString(random.nextLong()));
      return agent;
    } catch (TlsException refused) {
      throw new IOException(refused.getMessage(), refused);
    } finally {
      if (agent == null || agent.ports == null) {
        close(agent == null ? null : agent.upstream, timer, checks, loops);
      }
    }
  }

  private void listen(AgentSettings settings, String name) throws IOException {
    LocalSettings local = settings.local();
    LOG.info(
        "starting a kvorum agent", "kvorum-version", Version.kvorum(), "endpoints", settings.upstream().members().stream().map(Address::toString).toList(),
        "credentials", settings.upstream().credentials().toString(), "listen-client-urls", local.clientUrls(), "listen-metrics-urls", local.metricsUrls(),
        "pid", ProcessHandle.current().pid());
    LocalTokens tokens = local.tokenFile() == null ? null : new LocalTokens(local.tokenFile());
    if (tokens != null) {
      timer.scheduleWithFixedDelay(tokens::look, LOOK_SECONDS, LOOK_SECONDS, TimeUnit.SECONDS);
    }
    UidCheck check = local.allowedUids() == null ? null : new UidCheck(local.allowedUids(), new PeerUids(PROC_NET), checks);
    LocalAccess access = new LocalAccess(tokens);
    OutboundBudget outbound =
        new OutboundBudget(Math.max(OutboundBudget.CONNECTION_BYTES, Runtime.getRuntime().maxMemory() / OUTBOUND_SHARE), System::nanoTime);
    AgentHealth health = new AgentHealth(upstream.channel(), settings.upstream().loginTimeout());
    AgentPorts.Content content =
        new AgentPorts.Content(services(tokens), access, check, outbound, health, List.of(upstream, access, outbound, new ProcessMetrics()));
    ports = AgentPorts.open(local, loops, name, content);
  }

  private List<ServerServiceDefinition> services(LocalTokens tokens) {
    Seen shown = new Seen();
    Forwarding forwarding = new Forwarding(upstream.channel(), shown);
    return List.of(
        forwarding.service(KVGrpc.getServiceDescriptor()),
        forwarding.service(WatchGrpc.getServiceDescriptor()),
        forwarding.service(LeaseGrpc.getServiceDescriptor()),
        forwarding.service(ClusterGrpc.getServiceDescriptor()),
        forwarding.service(MaintenanceGrpc.getServiceDescriptor()),
        forwarding.service(AuthGrpc.getServiceDescriptor(), Map.of("Authenticate", new LocalLogin(tokens, shown::get))),
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
    ports.close();
    close(upstream, timer, checks, loops);
    LOG.info("closed the agent");
  }

  private static void close(Upstream upstream, ScheduledExecutorService timer, ExecutorService checks, EventLoops loops) {
    if (upstream != null) {
      upstream.close();
    }
    timer.shutdownNow();
    checks.shutdownNow();
    loops.close();
  }
}
