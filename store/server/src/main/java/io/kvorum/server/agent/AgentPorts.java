package io.kvorum.server.agent;

import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.kvorum.server.config.Urls;
import io.kvorum.server.front.AccessRules;
import io.kvorum.server.front.ConnectionCheck;
import io.kvorum.server.front.EventLoops;
import io.kvorum.server.front.GrpcPort;
import io.kvorum.server.front.HealthEndpoints;
import io.kvorum.server.front.HttpHandler;
import io.kvorum.server.front.HttpPort;
import io.kvorum.server.front.HttpResponse;
import io.kvorum.server.front.HttpRoutes;
import io.kvorum.server.front.LocalPort;
import io.kvorum.server.front.OutboundBudget;
import io.kvorum.server.front.PortTls;
import io.kvorum.server.gateway.Gateway;
import io.kvorum.server.kv.AnswerLimits;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.CallMeter;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Where the agent listens: gRPC and the gateway for callers of this machine, health and metrics for everybody. */
final class AgentPorts implements AutoCloseable {
  /** The cluster's own limit is smaller unless its users want it otherwise; its refusal is the one that callers see. */
  static final int REQUEST_BYTES_MAX = 16 << 20;

  private static final Log LOG = Log.of(AgentPorts.class);
  private static final int STREAMS_MAX = 10_000;
  private static final long KEEP_ALIVE_MIN_MILLIS = 5_000;
  private static final long KEEP_ALIVE_MILLIS = 7_200_000;
  private static final long KEEP_ALIVE_TIMEOUT_MILLIS = 20_000;
  private static final int PROBE_BYTES = 64 << 10;
  private static final long GRACE_MILLIS = 500;
  private static final GrpcPort.Bounds BOUNDS =
      new GrpcPort.Bounds(REQUEST_BYTES_MAX, 2 * REQUEST_BYTES_MAX, STREAMS_MAX, KEEP_ALIVE_MIN_MILLIS, false, KEEP_ALIVE_MILLIS, KEEP_ALIVE_TIMEOUT_MILLIS, false);

  private final LocalSettings settings;
  private final EventLoops loops;
  private final LocalPort inside;
  private final List<GrpcPort> grpc = new ArrayList<>();
  private final List<HttpPort> http = new ArrayList<>();

  private AgentPorts(LocalSettings settings, EventLoops loops, LocalPort inside) {
    this.settings = settings;
    this.loops = loops;
    this.inside = inside;
  }

  /**
   * What is served.
   *
   * @param services gRPC
   * @param access who may call
   * @param check whose connections are taken; null for all
   * @param outbound bounds what callers have not taken
   * @param sources of metrics, beside the calls and the health checks
   */
  record Content(
      List<ServerServiceDefinition> services, LocalAccess access, ConnectionCheck check, OutboundBudget outbound, AgentHealth health, List<MetricSource> sources) {}

  /**
   * Listens on all addresses, or on none.
   *
   * @param name of the way inside this process, unique in it
   * @throws IOException naming the address that is taken
   */
  static AgentPorts open(LocalSettings settings, EventLoops loops, String name, Content content) throws IOException {
    AgentPorts ports = new AgentPorts(settings, loops, new LocalPort(name));
    try {
      ports.listen(content);
      return ports;
    } catch (IOException | RuntimeException e) {
      ports.close();
      throw e;
    }
  }

  private void listen(Content content) throws IOException {
    CallMeter meter = new CallMeter(content.services, false, CallMeter.NEVER_NANOS, report -> {});
    List<ServerInterceptor> interceptors = List.of(content.access, new AnswerLimits());
    inside.start(content.services, interceptors, meter);
    HealthEndpoints health = new HealthEndpoints(content.health);
    List<MetricSource> sources = Stream.concat(content.sources.stream(), Stream.of(meter, health)).toList();
    HttpRoutes probes = new HttpRoutes();
    health.install(probes);
    probes.get("/metrics", request -> scrape(sources));
    HttpRoutes all = new HttpRoutes();
    health.install(all);
    all.get("/metrics", request -> scrape(sources));
    all.route("/v3/", new Gateway(inside::channel, Executors.newVirtualThreadPerTaskExecutor(), REQUEST_BYTES_MAX));
    HttpHandler guarded = content.access.guarded(new AccessRules(List.of(), hosts(), all));
    for (String url : settings.clientUrls()) {
      grpc.add(
          GrpcPort.open(
              Urls.bindAddress(url), loops, content.services, interceptors, meter, guarded, PortTls.NONE, BOUNDS, content.outbound, content.check));
    }
    for (String url : settings.metricsUrls()) {
      http.add(HttpPort.open(Urls.bindAddress(url), loops, probes, PortTls.NONE, PROBE_BYTES));
    }
  }

  private static HttpResponse scrape(List<MetricSource> sources) {
    MetricsText out = new MetricsText();
    sources.forEach(source -> source.collect(out));
    return HttpResponse.ok(MetricsText.CONTENT_TYPE, out.toString());
  }

  /** Names under which a browser may ask, so that a page from elsewhere cannot (DNS rebinding). */
  private List<String> hosts() {
    Stream<String> own = settings.clientUrls().stream().map(Urls::host);
    return Stream.concat(own, Stream.of("localhost", "127.0.0.1", "::1", "")).distinct().toList();
  }

  /** Ports of the URLs that have one, in the order of the settings. */
  List<Integer> clientPorts() {
    List<Integer> ports = new ArrayList<>();
    for (int i = 0; i < grpc.size(); i++) {
      if (!Urls.isUnix(settings.clientUrls().get(i))) {
        ports.add(grpc.get(i).address().getPort());
      }
    }
    return ports;
  }

  List<Integer> metricsPorts() {
    return http.stream().map(port -> port.address().getPort()).toList();
  }

  /** The lines that scripts wait for. */
  void announceReady() {
    LOG.info("ready to serve client requests");
    settings.clientUrls().forEach(url -> LOG.info("serving local callers", "traffic", "grpc+http", "address", Urls.address(url)));
  }

  /** Takes no new calls; those under way may end in half a second. */
  @Override
  public void close() {
    http.forEach(HttpPort::close);
    List<Thread> closing = grpc.stream().map(port -> Thread.ofPlatform().daemon().start(() -> port.close(GRACE_MILLIS))).toList();
    for (Thread thread : closing) {
      try {
        thread.join(TimeUnit.SECONDS.toMillis(2));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    inside.close();
  }
}
