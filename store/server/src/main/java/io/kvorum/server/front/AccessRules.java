package io.kvorum.server.front;

import io.kvorum.server.logging.Log;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What comes before every HTTP answer on a client port: the check of the host name (against DNS rebinding, on connections without TLS), the headers of CORS, the answer
 * to OPTIONS, and the old path {@code /v3beta}.
 */
public final class AccessRules implements HttpHandler {
  private static final Log LOG = Log.of(AccessRules.class);
  private static final int OK = 200;
  private static final int MISDIRECTED = 421;

  private final List<String> origins;
  private final List<String> hosts;
  private final HttpHandler next;

  /**
   * @param origins allowed, {@code *} for all
   * @param hosts allowed host names, {@code *} for all
   */
  public AccessRules(List<String> origins, List<String> hosts, HttpHandler next) {
    this.origins = List.copyOf(origins);
    this.hosts = List.copyOf(hosts);
    this.next = next;
  }

  @Override
  public void handle(HttpRequest request, Responder responder) {
    String host = hostName(request.header("host"));
    if (!request.secure() && !hosts.contains("*") && !hosts.contains(host)) {
      LOG.warn("rejecting HTTP request to prevent DNS rebinding attacks", "host", host);
      responder.respond(
          HttpResponse.error(
              MISDIRECTED,
              "etcd received your request, but the Host header was unrecognized.\n\nTo fix this, choose one of the following options:\n- Enable TLS, then any HTTPS"
                  + " request will be allowed.\n- Add the hostname you want to use to the whitelist in settings.\n  - e.g. etcd --host-whitelist \""
                  + host.replaceAll("[^A-Za-z0-9.:_-]", "") + "\""));
      return;
    }
    Map<String, String> cors = cors(request.header("origin"));
    if (request.method().equals("OPTIONS")) {
      responder.respond(new HttpResponse(OK, cors, new byte[0]));
      return;
    }
    HttpRequest forwarded = request;
    if (request.path().startsWith("/v3beta/")) {
      String path = request.path().replaceFirst("/v3beta/", "/v3/");
      forwarded = new HttpRequest(request.method(), path, request.query(), request.headers(), request.body(), request.secure());
    }
    next.handle(forwarded, new WithHeaders(responder, cors));
  }

  private record WithHeaders(Responder responder, Map<String, String> cors) implements Responder {
    @Override
    public void respond(HttpResponse response) {
      responder.respond(response.with(cors));
    }

    @Override
    public Stream stream(int status, Map<String, String> headers) {
      Map<String, String> all = new HashMap<>(headers);
      all.putAll(cors);
      return responder.stream(status, all);
    }

    @Override
    public WebSocket webSocket() {
      return responder.webSocket();
    }

    @Override
    public void onGone(Runnable action) {
      responder.onGone(action);
    }
  }

  private Map<String, String> cors(String origin) {
    boolean any = origins.contains("*");
    if (!any && !origins.contains(origin)) {
      return Map.of();
    }
    Map<String, String> headers = new HashMap<>();
    headers.put("Access-Control-Allow-Methods", "POST, GET, OPTIONS, PUT, DELETE");
    headers.put("Access-Control-Allow-Origin", any ? "*" : origin);
    headers.put("Access-Control-Allow-Headers", "accept, content-type, authorization");
    return headers;
  }

  /** Without port and brackets. */
  static String hostName(String header) {
    if (header.startsWith("[")) {
      int end = header.indexOf(']');
      return end < 0 ? header : header.substring(1, end);
    }
    int colon = header.indexOf(':');
    return colon < 0 ? header : header.substring(0, colon);
  }
}
