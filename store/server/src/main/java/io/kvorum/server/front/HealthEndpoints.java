package io.kvorum.server.front;

import io.kvorum.server.logging.Log;
import io.kvorum.server.metrics.MetricSource;
import io.kvorum.server.metrics.MetricsText;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** {@code /health} for people and old load balancers, {@code /livez} and {@code /readyz} (and one path for each of their checks) for Kubernetes. */
public final class HealthEndpoints implements MetricSource {
  private static final Log LOG = Log.of(HealthEndpoints.class);
  private static final int UNAVAILABLE = 503;

  private final HealthSource source;
  private final LongAdder successes = new LongAdder();
  private final LongAdder failures = new LongAdder();
  private final Map<String, CheckCount> counts = new ConcurrentHashMap<>();

  public HealthEndpoints(HealthSource source) {
    this.source = source;
  }

  /** A check tells null, or why it failed. */
  private interface Check extends Consumer<Consumer<String>> {}

  /** Outcomes of one check so far. */
  record CheckCount(LongAdder success, LongAdder error, boolean[] last) {}

  public void install(HttpRoutes routes) {
    routes.route("/health", this::health);
    Map<String, Check> live = new LinkedHashMap<>();
    live.put("serializable_read", now(source::serializableRead));
    install(routes, "livez", live);
    Map<String, Check> ready = new LinkedHashMap<>();
    ready.put("data_corruption", now(() -> source.alarms().contains("CORRUPT") ? "alarm activated: CORRUPT" : null));
    ready.put("serializable_read", now(source::serializableRead));
    ready.put("linearizable_read", source::linearizableRead);
    ready.put("non_learner", now(() -> source.isLearner() ? "not supported for learner" : null));
    install(routes, "readyz", ready);
  }

  private static Check now(Supplier<String> check) {
    return outcome -> outcome.accept(check.get());
  }

  private void install(HttpRoutes routes, String type, Map<String, Check> checks) {
    routes.route(
        "/" + type,
        (request, responder) -> {
          Map<String, Check> chosen = new LinkedHashMap<>(checks);
          chosen.keySet().removeAll(request.query().getOrDefault("exclude", List.of()));
          run(type, chosen, request, responder);
        });
    checks.forEach((name, check) -> routes.route("/" + type + "/" + name, (request, responder) -> run(type, Map.of(name, check), request, responder)));
  }

  private void run(String type, Map<String, Check> checks, HttpRequest request, HttpHandler.Responder responder) {
    if (!request.method().equals("GET")) {
      responder.respond(HttpResponse.methodNotAllowed("GET"));
      return;
    }
    runNext(type, new ArrayList<>(checks.entrySet()), new StringBuilder(), false, request, responder);
  }

  /** One check after the other, each going on from the answer of the one before. */
  private void runNext(
      String type, List<Map.Entry<String, Check>> left, StringBuilder lines, boolean failed, HttpRequest request, HttpHandler.Responder responder) {
    if (left.isEmpty()) {
      responder.respond(answer(request, lines.toString(), failed));
      return;
    }
    Map.Entry<String, Check> check = left.removeFirst();
    check
        .getValue()
        .accept(
            failure -> {
              count(type, check.getKey(), failure == null);
              lines.append(failure == null ? "[+]" + check.getKey() + " ok\n" : "[-]" + check.getKey() + " failed: " + failure + "\n");
              runNext(type, left, lines, failed || failure != null, request, responder);
            });
  }

  private static HttpResponse answer(HttpRequest request, String lines, boolean failed) {
    if (failed) {
      LOG.error("Health check error", "path", request.path(), "reason", lines, "status-code", UNAVAILABLE);
      return HttpResponse.error(UNAVAILABLE, lines);
    }
    String body = request.query().containsKey("verbose") ? lines + "ok\n" : "ok\n";
    return HttpResponse.ok(HttpResponse.PLAIN, body).with(Map.of("X-Content-Type-Options", "nosniff"));
  }

  private void health(HttpRequest request, HttpHandler.Responder responder) {
    if (!request.method().equals("GET")) {
      responder.respond(HttpResponse.methodNotAllowed("GET"));
      return;
    }
    List<String> excluded = request.query().getOrDefault("exclude", List.of());
    for (String alarm : source.alarms()) {
      if (!excluded.contains(alarm)) {
        LOG.warn("serving /health false due to an alarm", "alarm", alarm);
        responder.respond(verdict(alarm.equals("NOSPACE") || alarm.equals("CORRUPT") ? "ALARM " + alarm : "ALARM UNKNOWN"));
        return;
      }
    }
    if (request.parameter("serializable").equals("true")) {
      responder.respond(verdict(rangeError(source.serializableRead())));
    } else if (!source.hasLeader()) {
      LOG.warn("serving /health false; no leader");
      responder.respond(verdict("RAFT NO LEADER"));
    } else {
      source.linearizableRead(failure -> responder.respond(verdict(rangeError(failure))));
    }
  }

  private static String rangeError(String failure) {
    return failure == null ? null : "RANGE ERROR:" + failure;
  }

  private HttpResponse verdict(String reason) {
    if (reason == null) {
      successes.increment();
      return HttpResponse.ok(HttpResponse.PLAIN, "{\"health\":\"true\",\"reason\":\"\"}");
    }
    failures.increment();
    String body = "{\"health\":\"false\",\"reason\":\"" + reason.replace("\\", "\\\\").replace("\"", "\\\"") + "\"}";
    LOG.warn("/health error", "output", body, "status-code", UNAVAILABLE);
    return HttpResponse.error(UNAVAILABLE, body);
  }

  private void count(String type, String name, boolean success) {
    CheckCount count = counts.computeIfAbsent(type + "/" + name, key -> new CheckCount(new LongAdder(), new LongAdder(), new boolean[1]));
    (success ? count.success() : count.error()).increment();
    count.last()[0] = success;
  }

  @Override
  public void collect(MetricsText out) {
    out.counter("etcd_server_health_success", "The total number of successful health checks", successes.sum());
    out.counter("etcd_server_health_failures", "The total number of failed health checks", failures.sum());
    counts.forEach(
        (key, count) -> {
          String[] parts = key.split("/");
          String name = MetricsText.labels("name", parts[1]);
          String type = MetricsText.labels("type", parts[0]);
          out.gauge("etcd_server_healthcheck", "The result of each kind of healthcheck.", name + "," + type, count.last()[0] ? 1 : 0);
          String help = "The total number of each kind of healthcheck.";
          out.counter("etcd_server_healthchecks_total", help, name + ",status=\"success\"," + type, count.success().sum());
          out.counter("etcd_server_healthchecks_total", help, name + ",status=\"error\"," + type, count.error().sum());
        });
  }
}
