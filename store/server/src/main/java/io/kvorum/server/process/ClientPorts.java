package io.kvorum.server.process;

import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.kvorum.server.base.Version;
import io.kvorum.server.config.ServerConfig;
import io.kvorum.server.config.Urls;
import io.kvorum.server.front.AccessRules;
import io.kvorum.server.front.EventLoops;
import io.kvorum.server.front.GrpcPort;
import io.kvorum.server.front.HealthEndpoints;
import io.kvorum.server.front.HttpHandler;
import io.kvorum.server.front.HttpPort;
import io.kvorum.server.front.HttpRequest;
import io.kvorum.server.front.HttpResponse;
import io.kvorum.server.front.HttpRoutes;
import io.kvorum.server.front.LocalPort;
import io.kvorum.server.front.OutboundBudget;
import io.kvorum.server.front.PortTls;
import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.CallMeter;
import io.kvorum.server.tls.IncomingTls;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** The ports for clients and for metrics, all that the configuration names. */
final class ClientPorts implements AutoCloseable {
  private static final Log LOG = Log.of(ClientPorts.class);
  private static final int TEMPORARY_REDIRECT = 307;
  private static final int PROBE_BYTES = 64 << 10;
  private static final long GRACE_MILLIS = 500;

  private final ServerConfig config;
  private final IncomingTls tls;
  private final EventLoops loops;
  private final LocalPort local;
  private final List<GrpcPort> grpc = new ArrayList<>();
  private final List<HttpPort> http = new ArrayList<>();

  private ClientPorts(ServerConfig config, IncomingTls tls, EventLoops loops, LocalPort local) {
    this.config = config;
    this.tls = tls;
    this.loops = loops;
    this.local = local;
  }

  /**
   * What is served.
   *
   * @param services gRPC
   * @param interceptors before each call, the last one first
   * @param meter counts the calls
   * @param outbound of answers that are not taken yet
   * @param local the same for callers inside this process
   * @param gateway the services as JSON
   * @param health answers of the health endpoints
   * @param metrics answers of the metrics endpoints
   * @param clusterVersion empty before it is decided
   */
  record Content(
      List<ServerServiceDefinition> services, List<ServerInterceptor> interceptors, CallMeter meter, OutboundBudget outbound, LocalPort local, HttpHandler gateway,
      HealthEndpoints health, ServerMetrics metrics,
      Supplier<String> clusterVersion) {}

  /**
   * Listens on all of them, or on none.
   *
   * @param tls for https URLs; null when there are none
   * @throws IOException naming the address that is taken
   */
  static ClientPorts open(ServerConfig config, IncomingTls tls, Content content) throws IOException {
    ClientPorts ports = new ClientPorts(config, tls, EventLoops.forClients(Runtime.getRuntime().availableProcessors()), content.local());
    try {
      ports.listen(content);
      return ports;
    } catch (IOException | RuntimeException e) {
      ports.close();
      throw e;
    }
  }

  private void listen(Content content) throws IOException {
    local.start(content.services(), content.interceptors(), content.meter());
    HttpRoutes probes = new HttpRoutes();
    content.health().install(probes);
    HttpHandler scrape = (request, responder) -> responder.respond(content.metrics().text());
    probes.route("/metrics", scrape);
    HttpRoutes all = new HttpRoutes();
    content.health().install(all);
    all.route("/metrics", scrape);
    all.get("/version", request -> version(content.clusterVersion().get()));
    all.get("/debug/vars", request -> content.metrics().variables());
    if (config.http().gateway()) {
      all.route("/v3/", content.gateway());
      all.route("/v3", (request, responder) -> responder.respond(redirect(request)));
    }
    HttpHandler client = new AccessRules(config.http().cors(), config.http().hostWhitelist(), all);
    boolean split = !config.listen().clientHttpUrls().isEmpty();
    List<String> urls = config.listen().clientUrls();
    for (String url : ServerTls.addresses(urls)) {
      PortTls security = ServerTls.of(url, urls, tls);
      grpc.add(GrpcPort.open(Urls.bindAddress(url), loops, content.services(), content.interceptors(), content.meter(), split ? null : client, security, bounds(), content.outbound()));
    }
    for (String url : config.listen().clientHttpUrls()) {
      http.add(HttpPort.open(Urls.bindAddress(url), loops, client, httpTls(url), bounds().maxBodyBytes(), content.outbound()));
    }
    for (String url : config.listen().metricsUrls()) {
      http.add(HttpPort.open(Urls.bindAddress(url), loops, probes, httpTls(url), PROBE_BYTES));
    }
  }

  /** As Go's ServeMux redirects. */
  private static HttpResponse redirect(HttpRequest request) {
    boolean shown = request.method().equals("GET") || request.method().equals("HEAD");
    byte[] body = shown ? "<a href=\"/v3/\">Temporary Redirect</a>.\n\n".getBytes(StandardCharsets.UTF_8) : new byte[0];
    return new HttpResponse(TEMPORARY_REDIRECT, shown ? Map.of("Location", "/v3/", "Content-Type", "text/html; charset=utf-8") : Map.of("Location", "/v3/"), body);
  }

  private PortTls httpTls(String url) {
    return ServerTls.isHttps(url) ? PortTls.only(tls) : PortTls.NONE;
  }

  private GrpcPort.Bounds bounds() {
    int messageBytes = config.limits().maxMessageBytes();
    // In JSON bytes are a third longer.
    int bodyBytes = (int) Math.min(Integer.MAX_VALUE, 2L * messageBytes);
    ServerConfig.Grpc limits = config.grpc();
    return new GrpcPort.Bounds(
        messageBytes, bodyBytes, limits.maxConcurrentStreams(), limits.keepAliveMinTime().toMillis(), false,
        limits.keepAliveInterval().toMillis(), limits.keepAliveTimeout().toMillis(), config.listen().reusePort());
  }

  static HttpResponse version(String clusterVersion) {
    boolean decided = !clusterVersion.isEmpty();
    return HttpResponse.ok(
        "application/json",
        "{\"etcdserver\":\"" + Version.ETCD + "\",\"etcdcluster\":\"" + (decided ? clusterVersion : "not_decided")
            + "\",\"storage\":\"" + (decided ? Version.STORAGE : "unknown") + "\"}");
  }

  /** The lines that scripts wait for. */
  void announceReady() {
    LOG.info("ready to serve client requests");
    boolean split = !config.listen().clientHttpUrls().isEmpty();
    config.listen().clientUrls().forEach(url -> announce(url, split ? "grpc" : "grpc+http"));
    config.listen().clientHttpUrls().forEach(url -> announce(url, "http"));
  }

  private static void announce(String url, String traffic) {
    String address = Urls.address(url);
    if (ServerTls.isHttps(url)) {
      LOG.info("serving client traffic securely", "traffic", traffic, "address", address);
    } else {
      LOG.info("serving client traffic insecurely; this is strongly discouraged!", "traffic", traffic, "address", address);
    }
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
    local.close();
    loops.close();
  }
}
