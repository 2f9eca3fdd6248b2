package io.kvorum.server.agent;

import io.grpc.Channel;
import io.kvorum.server.agent.dns.DnsServer;
import io.kvorum.server.agent.dns.WatchedServices;
import io.kvorum.server.agent.registration.ControlSocket;
import io.kvorum.server.agent.registration.Registrar;
import io.kvorum.server.front.EventLoops;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.random.RandomGenerator;

/**
 * The pod's registration and its DNS. Opened before the agent's ports, so that what is wrong ends the start; started behind them, so that nobody finds a pod whose agent does not serve;
 * the first to be closed, so that the entry has gone before anything else stops.
 */
final class Discovery implements MetricSource, AutoCloseable {
  private static final Log LOG = Log.of(Discovery.class);

  private final List<MetricSource> sources = new ArrayList<>();
  private final Deque<AutoCloseable> parts = new ArrayDeque<>();
  private final List<Runnable> starts = new ArrayList<>();
  private List<InetSocketAddress> dnsAddresses = List.of();

  private Discovery() {}

  /**
   * Whom it asks.
   *
   * @param upstream the cluster
   * @param local what this agent serves: services that it mirrors are read from its copy
   */
  record Channels(Channel upstream, Channel local) {}

  /**
   * Opens what there is to be.
   *
   * @throws IOException for a socket that cannot be had
   */
  static Discovery open(DiscoverySettings settings, Channels channels, EventLoops loops, ScheduledExecutorService timer, RandomGenerator random) throws IOException {
    Discovery discovery = new Discovery();
    try {
      discovery.openDns(settings, channels, loops, timer, random);
      discovery.openRegistration(settings, channels, loops, timer, random);
      return discovery;
    } catch (IOException | RuntimeException e) {
      discovery.close();
      throw e;
    }
  }

  private void openDns(DiscoverySettings settings, Channels channels, EventLoops loops, ScheduledExecutorService timer, RandomGenerator random) throws IOException {
    if (settings.dnsListen().isEmpty()) {
      return;
    }
    WatchedServices services = new WatchedServices(channels.local, settings.prefix(), timer, random);
    parts.push(services);
    DnsServer server = DnsServer.open(settings.dnsListen(), settings.dnsDomain(), services, loops);
    parts.push(server);
    dnsAddresses = server.addresses();
    sources.addAll(List.of(services, server));
    starts.add(services::start);
    LOG.info("serving DNS", "addresses", dnsAddresses, "domain", settings.dnsDomain(), "prefix", settings.prefix());
  }

  private void openRegistration(DiscoverySettings settings, Channels channels, EventLoops loops, ScheduledExecutorService timer, RandomGenerator random) throws IOException {
    if (settings.registration() == null) {
      return;
    }
    Registrar registrar = Registrar.over(channels.upstream, settings.registration(), loops, timer, System::nanoTime, random);
    ControlSocket control = ControlSocket.open(settings.controlSocket(), registrar);
    parts.push(control);
    parts.push(registrar);
    sources.add(registrar);
    starts.add(registrar::start);
    LOG.info(
        "registering this pod when it is ready", "key", settings.registration().key().toStringUtf8(), "address", settings.registration().endpoint().address(),
        "readiness", settings.registration().readiness(), "ttl-seconds", settings.registration().ttlSeconds(), "control-socket", settings.controlSocket());
  }

  /** Begins to register and to read services. */
  void start() {
    starts.forEach(Runnable::run);
  }

  List<InetSocketAddress> dnsAddresses() {
    return dnsAddresses;
  }

  @Override
  public void collect(MetricsText out) {
    sources.forEach(source -> source.collect(out));
  }

  /** The registration first: within its bound the cluster has confirmed that the entry is gone. */
  @Override
  public void close() {
    while (!parts.isEmpty()) {
      try {
        parts.pop().close();
      } catch (Exception e) {
        LOG.warn("stopping failed", "reason", e.getMessage());
      }
    }
  }
}
